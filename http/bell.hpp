// Wakes a thread that waits in an epoll. Any thread rings, as often as it likes; it is heard once.
#pragma once

namespace ota::http {

class Bell {
 public:
  // Throws std::system_error if the system gives none.
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring() const;
  // It was heard: readable again only when it is rung again.
  void quiet() const;
  // Readable from ring() to quiet().
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace ota::http
