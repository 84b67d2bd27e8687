// An open loop: rate= requests a second leave at their intended times whatever the broker does, and latency
// counts from those times, so that a stall is seen by all that should have left during it. One record a
// request; its intended time travels inside it. Reported: from there to the acknowledgement and to the
// reader. Nothing of the first warm-seconds= is counted. replay-topic= names a topic that a reader reads
// once, from its beginning, as fast as it comes: then that time alone is counted, and the loop ends with it.
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "admin.h"
#include "answers.h"
#include "consumer.h"
#include "event_loop.h"
#include "fail.h"
#include "modes.h"
#include "percentiles.h"
#include "prebuilt_batch.h"
#include "stopwatch.h"

namespace load {

namespace {

constexpr size_t kMostUnderWay = 200'000;
constexpr size_t kReplayRead = 64 << 10;  // a turn stays short beside a large answer

/// One connection of the open loop.
struct Lane {
  explicit Lane(const std::string& bootstrap) : connection(bootstrap) {}
  Connection connection;
  std::deque<int64_t> intended_ns;
  int32_t next_correlation = 0;
};

class OpenLoop {
 public:
  OpenLoop(EventLoop& loop, const Target& target, Options& options)
      : target_(target),
        acks_(static_cast<int16_t>(options.Number("acks", -1))),
        batch_(BuildBatch(1, static_cast<int32_t>(options.Number("record-bytes", 1024)), 1)),
        interval_ns_(1e9 / static_cast<double>(options.Number("rate", 1000))),
        warm_ns_(static_cast<int64_t>(options.Fraction("warm-seconds", 1) * 1e9)),
        total_ns_(warm_ns_ + static_cast<int64_t>(options.Fraction("seconds", 5) * 1e9)) {
    if (batch_.bytes.size() < batch_.first_value + 8) Fail("a record must hold 8 bytes for its time");
    for (int64_t i = options.Number("connections", 8); i > 0; --i) {
      lanes_.push_back(std::make_unique<Lane>(target.bootstrap));
      Lane& lane = *lanes_.back();
      loop.Add(lane.connection, [this, &lane](std::span<const uint8_t> answer) { Answered(lane, answer); });
    }
  }

  void Start(int64_t now_ns) { began_ns_ = now_ns; }

  /// Sends what is due.
  void Turn() {
    for (const int64_t now = NowNs(); sent_until_ns_ < total_ns_ && began_ns_ + sent_until_ns_ <= now;) {
      SendOne(began_ns_ + sent_until_ns_);
      ++sent_;
      sent_until_ns_ = static_cast<int64_t>(static_cast<double>(sent_) * interval_ns_);
    }
    if (sent_ - acked_ > kMostUnderWay) Fail("the broker does not keep up with this rate");
  }

  void Arrived(const uint8_t* batch) { Count(StampOf(batch, batch_.first_value), consumed_latencies); }

  bool warm() const { return sent_until_ns_ >= warm_ns_; }
  /// Nothing more is sent.
  void End() { total_ns_ = sent_until_ns_; }
  void Endless() { total_ns_ = std::numeric_limits<int64_t>::max(); }
  bool all_sent() const { return sent_until_ns_ >= total_ns_; }
  size_t sent() const { return sent_; }
  size_t acked() const { return acked_; }
  size_t record_bytes() const { return batch_.bytes.size() - batch_.first_value - 1; }

  Percentiles ack_latencies;
  Percentiles consumed_latencies;

 private:
  void SendOne(int64_t intended_ns) {
    Lane& lane = *lanes_[sent_ % lanes_.size()];
    StampBatch(batch_.bytes, batch_.first_value, intended_ns);
    const auto partition = static_cast<int32_t>(sent_ % static_cast<size_t>(target_.topic.partitions));
    auto head = ProduceHead(target_.topic, target_.versions.produce, lane.next_correlation++, acks_,
                            partition, batch_.bytes.size());
    head.insert(head.end(), batch_.bytes.begin(), batch_.bytes.end());  // the next one is stamped in place
    lane.connection.Send(std::move(head), {}, kProduceTail);
    lane.intended_ns.push_back(intended_ns);
  }

  void Answered(Lane& lane, std::span<const uint8_t> answer) {
    if (lane.intended_ns.empty()) Fail("an answer without a request");
    ReadProduced(answer, target_.versions.produce);
    Count(lane.intended_ns.front(), ack_latencies);
    lane.intended_ns.pop_front();
    ++acked_;
  }

  void Count(int64_t intended_ns, Percentiles& latencies) const {
    if (intended_ns - began_ns_ >= warm_ns_) latencies.Add(NowNs() - intended_ns);
  }

  const Target& target_;
  const int16_t acks_;
  PrebuiltBatch batch_;
  const double interval_ns_;
  const int64_t warm_ns_;
  int64_t total_ns_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int64_t began_ns_ = 0;
  int64_t sent_until_ns_ = 0;  // the next intended time, from the beginning
  size_t sent_ = 0;
  size_t acked_ = 0;
};

/// The reader of another topic, if one was named.
class Replay {
 public:
  Replay(EventLoop& loop, Target target, const std::string& topic, const ConsumerOptions& how)
      : target_(std::move(target)) {
    if (topic.empty()) return;
    target_.topic.name = topic;
    AwaitTopics(target_.bootstrap, {&target_.topic, 1});
    reader_ = std::make_unique<Consumer>(loop, target_, how, kReplayRead);
    reader_->on_answer = [this] {
      if (reader_->at_the_end()) reader_->Stop();
    };
  }

  bool wanted() const { return reader_ != nullptr; }
  bool ended() const { return began_ns_ != 0 && reader_->at_the_end(); }
  void StartOnce() {
    if (began_ns_ != 0) return;
    began_ns_ = NowNs();
    reader_->Start();
  }
  double mb_s() const { return static_cast<double>(reader_->bytes()) / 1e6 / SecondsSince(began_ns_); }

 private:
  Target target_;
  std::unique_ptr<Consumer> reader_;
  int64_t began_ns_ = 0;
};

}  // namespace

void RunLatency(Options& options) {
  const Target target = FindTarget(options);
  const ConsumerOptions how(options);
  EventLoop loop;
  OpenLoop open(loop, target, options);
  Consumer consumer(loop, target, how);
  consumer.on_batch = [&](const uint8_t* batch) { open.Arrived(batch); };
  Replay replay(loop, target, options.Text("replay-topic", ""), how);
  options.MustBeUsed();

  JsonLine line;
  if (replay.wanted()) open.Endless();
  const auto turn = [&] {
    open.Turn();
    if (replay.wanted() && open.warm()) replay.StartOnce();
    if (replay.ended() && !open.all_sent()) {
      line.Add("replayed_mb_s", replay.mb_s());
      open.End();
    }
    return open.all_sent() && open.acked() == open.sent() &&
           consumer.records() == static_cast<int64_t>(open.sent());
  };
  consumer.Start();
  const Stopwatch watch(target.server_pid);
  open.Start(NowNs());
  loop.Run(turn, true);

  const auto sent = static_cast<int64_t>(open.sent());
  watch.Report(sent, sent * static_cast<int64_t>(open.record_bytes()), line);
  line.Add("samples", static_cast<double>(open.consumed_latencies.count()));
  open.ack_latencies.Report("ack", line);
  open.consumed_latencies.Report("end", line);
  line.Print();
}

}  // namespace load
