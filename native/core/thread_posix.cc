#include <pthread.h>
#include <signal.h>

#include <utility>

#include "thread.h"

namespace seglog {

namespace {

class PosixThread final : public Thread {
 public:
  explicit PosixThread(pthread_t handle) : handle_(handle) {}
  void Join() override { pthread_join(handle_, nullptr); }

 private:
  const pthread_t handle_;
};

void* Body(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

}  // namespace

std::unique_ptr<Thread> Thread::Start(const char* name, std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t handle;
  const int failed = pthread_create(&handle, nullptr, Body, owned.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return nullptr;
  owned.release();
#ifdef __linux__
  pthread_setname_np(handle, name);
#else
  (void)name;
#endif
  return std::make_unique<PosixThread>(handle);
}

}  // namespace seglog
