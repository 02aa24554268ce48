// The user actor: preferences, and the end of a user.
#include "actors/entities.hpp"
#include "actors/entity.hpp"

namespace ota::actors {
namespace {

class UserActor final : public Entity {
 public:
  UserActor(caf::actor_config& config, World& world, domain::UserStream id)
      : Entity(config, world, id) {
    state_.token = id.token;
  }
  const char* name() const override { return "user"; }

 protected:
  void load() override { read_tag(key_, {}); }
  void fold(const domain::Recorded& event) override { domain::evolve(state_, event); }
  domain::Position position() const override { return state_.position; }
  std::uint32_t revision() const override { return state_.revision; }

  void handle(const RequestPtr& request) override {
    const auto* command = std::get_if<domain::UserCommand>(&request->command);
    if (!command) return;
    submit([this, request, command] { return decide(*command, request->meta); }, request->meta,
           std::move(request->reply));
  }

 private:
  domain::Result<Plan> decide(const domain::UserCommand& command, const Meta& meta) {
    Plan plan;
    plan.conditions = {own_condition()};
    plan.otherwise = {false, revision(), projections::to_store(position()), {}, {}};
    auto decision = domain::decide(state_, command, world_.context(meta.caller));
    if (!decision) return decision.error();
    plan.events = std::move(decision.value());
    return plan;
  }

  domain::User state_;
};

}  // namespace

caf::actor spawn_user(caf::actor_system& system, World& world, domain::UserStream id) {
  return system.spawn<UserActor>(std::ref(world), id);
}

}  // namespace ota::actors
