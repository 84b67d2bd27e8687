#include "admin.h"

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "answers.h"
#include "connection.h"
#include "event_loop.h"
#include "requests.h"

namespace load {

namespace {

constexpr useconds_t kFirstPauseUs = 1000;
constexpr useconds_t kLongestPauseUs = 100'000;  // else the asking is a load of its own

void Ask(const std::string& bootstrap, std::vector<uint8_t> request, const EventLoop::Answer& answer) {
  Connection connection(bootstrap);
  EventLoop loop;
  bool answered = false;
  loop.Add(connection, [&](std::span<const uint8_t> bytes) {
    answer(bytes);
    answered = true;
  });
  connection.Send(std::move(request));
  loop.Run([&] { return answered; });
}

/// Asks again and again, ever less often, until `satisfied` by the answer.
void Until(const std::string& bootstrap, const std::function<std::vector<uint8_t>()>& request,
           const std::function<bool(Bytes)>& satisfied) {
  bool done = false;
  for (useconds_t pause = kFirstPauseUs;; pause = std::min(pause * 2, kLongestPauseUs)) {
    Ask(bootstrap, request(), [&](Bytes answer) { done = satisfied(answer); });
    if (done) return;
    usleep(pause);
  }
}

}  // namespace

void CreateTopicsNow(const std::string& bootstrap, std::span<const Topic> topics) {
  Ask(bootstrap, CreateTopics(topics, 1), ReadCreated);
}

void AwaitTopics(const std::string& bootstrap, std::span<Topic> topics) {
  Until(
      bootstrap, [&] { return Metadata(topics, 1); },
      [&](Bytes answer) { return ReadMetadata(answer, topics); });
  Until(
      bootstrap, [&] { return ListOffsets(topics, 1); }, ReadOffsetsListed);
}

}  // namespace load
