// The connections of one event loop: their sockets, what comes on them cut into frames, and what is sent.
//
// The loop watches one descriptor, the poll set of all of them. When it is readable, Poll receives what has
// come, in one pass over the connections that have something, and tells of all of it at once. Small answers
// are sent at once by the loop; regions of files, and what a socket does not take at once, are the
// transfer's.
//
// Thread rule: the loop's thread, except that blocks may be destroyed on any.
#pragma once

#include <memory>
#include <vector>

#include "frame_cutter.h"
#include "transfer.h"

namespace seglog {

/// A frame of a delivery: in the chunk, or in a block of its own.
struct DeliveredFrame {
  int32_t block;  // index into Delivery::blocks; -1: in the chunk
  size_t start;
  size_t size;
};

/// What happened on one wire.
struct WireEvent {
  static constexpr uint32_t kEnd = 1;        // the other end sends no more
  static constexpr uint32_t kLost = 2;       // detail: errno
  static constexpr uint32_t kBadLength = 4;  // detail: the length
  static constexpr uint32_t kHead = 8;       // no frame has been whole yet; its first bytes are in the chunk
  static constexpr uint32_t kSent = 16;      // detail: a SentOutcome

  uint32_t wire = 0;
  uint32_t flags = 0;
  size_t received = 0;
  int32_t detail = 0;
  size_t head_start = 0;
  size_t head_size = 0;
  size_t first_frame = 0;
  size_t frames = 0;
};

enum class SentOutcome : int32_t { kAll = 0, kClosed = 1, kFailed = 2, kLost = 3 };

/// What one Poll brought. The chunk is valid until the next one.
struct Delivery {
  std::vector<WireEvent> events;
  std::vector<DeliveredFrame> frames;
  std::vector<std::unique_ptr<Block>> blocks;
  ByteSpan chunk;
};

struct WireCounts {
  int64_t sent_bytes = 0;
  int64_t send_calls = 0;
  int64_t received_bytes = 0;
  int64_t receive_calls = 0;
};

class Wires {
 public:
  /// Events of one delivery, at most, and frames in it.
  static constexpr size_t kMostEvents = 512;
  static constexpr size_t kMostFrames = 1024;
  static constexpr size_t kHeadBytes = 16;

  static Result<std::unique_ptr<Wires>> Open(BlockPool& pool);
  ~Wires();

  int descriptor() const { return poll_; }
  size_t size() const { return wires_.size() - 1 - free_.size(); }  // 0 is no wire

  /// Takes over a connected socket; see WireSocket::Duplicate. A number above 0.
  Result<uint32_t> Adopt(int descriptor, int32_t most_frame_bytes);
  bool Has(uint32_t wire) const { return wire > 0 && wire < wires_.size() && wires_[wire] != nullptr; }

  /// Never waits. False where nothing came.
  bool Poll(Delivery* delivery);

  // All of these need Has(wire).
  void Pause(uint32_t wire) { SetReading(wire, false); }
  void Resume(uint32_t wire) { SetReading(wire, true); }
  /// True if everything left at once. Else the transfer has the rest and an event tells when it is done;
  /// nothing is to be sent before. `force`: the transfer has all of it.
  bool Send(uint32_t wire, std::vector<TransferPiece> pieces, std::span<const iovec> bytes, bool force);
  bool IsSending(uint32_t wire) const { return wires_[wire]->sending; }
  void EndSending(uint32_t wire);
  void Close(uint32_t wire);
  const FrameCutter& cutter(uint32_t wire) const { return wires_[wire]->cutter; }
  const TransferStream& stream(uint32_t wire) const { return *wires_[wire]->stream; }

  const WireCounts& counts() const { return counts_; }
  const TransferCounts& transfer_counts() const { return transfer_->counts(); }

 private:
  struct Wire {
    Wire(int32_t most, BlockPool& pool) : cutter(most, pool) {}
    uint64_t id = 0;  // the number with a count before it: never used twice
    std::shared_ptr<WireSocket> socket;
    std::shared_ptr<TransferStream> stream;
    FrameCutter cutter;
    bool reading = true;
    bool watched = true;  // in the poll set
    bool ended = false;   // the other end has
    bool lost = false;
    bool broken = false;   // what comes cannot be cut: it is dropped
    bool sending = false;  // the transfer's turn
    bool had_frame = false;
  };

  explicit Wires(BlockPool& pool);
  void SetReading(uint32_t wire, bool reading);
  void Watch(Wire& wire);
  bool Receive(uint32_t number, size_t* budget, Delivery* delivery);
  void Take(Frame frame, Delivery* delivery);
  void AddHead(const Wire& wire, WireEvent* event);
  void TellSent(Delivery* delivery);
  uint32_t Find(uint64_t id) const;

  BlockPool& pool_;
  int poll_ = -1;
  WakeEvent sent_event_;
  std::vector<std::unique_ptr<Wire>> wires_;
  std::vector<uint32_t> free_;
  uint64_t adopted_ = 0;
  std::vector<TransferDone> own_done_;  // of sends that failed before the transfer had them
  std::unique_ptr<uint8_t[]> scratch_;
  size_t scratch_used_ = 0;
  WireCounts counts_;
  std::unique_ptr<Transfer> transfer_;  // ends first
};

}  // namespace seglog
