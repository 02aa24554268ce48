#include "http/thread.hpp"

#include <system_error>
#include <utility>

namespace ota::http {
namespace {

// The sanitizers' frames are several times as large.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackFactor = 8;
#else
constexpr std::size_t kStackFactor = 1;
#endif

}  // namespace

Thread::Thread(const std::string& name, std::size_t stack_bytes, std::function<void()> body)
    : body_(std::move(body)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, stack_bytes * kStackFactor);
  if (error == 0) error = pthread_create(&thread_, &attributes, &Thread::enter, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "Cannot start thread " + name);
  }
  pthread_setname_np(thread_, name.substr(0, 15).c_str());  // the kernel keeps 15 characters
}

Thread::~Thread() { pthread_join(thread_, nullptr); }

void* Thread::enter(void* self) {
  static_cast<Thread*>(self)->body_();
  return nullptr;
}

}  // namespace ota::http
