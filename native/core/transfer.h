// The transfer: one thread that sends what the event loop should not wait for. A stream, one socket's way
// out, is given bytes and regions of files in order; bytes are sent from memory, regions by sendfile from the
// page cache, without passing through this process.
//
// sendfile waits for the disk where pages are not cached, and one slow disk would hold up every socket (in
// Kafka this makes producers wait, KAFKA-7504). So before a part of a region is sent it is asked whether all
// of it is cached, and where not it is read on a thread of its own first. A stream sends so much in its turn
// and then lets the others; one whose socket takes nothing costs nothing until the system says that it does
// again.
//
// Thread rule: Open, Send and Cancel on one thread, the owner's; the rest as said. A socket has one sender at
// a time: between Send and the TransferDone that answers it the owner sends nothing itself.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "region_source.h"
#include "storage_threads.h"
#include "thread.h"
#include "wake_event.h"
#include "wire_socket.h"

namespace seglog {

/// Bytes, or a region of a file where there is a source.
struct TransferPiece {
  std::vector<uint8_t> bytes;
  std::shared_ptr<RegionSource> source;
  FilePosition position;
  size_t size = 0;
};

struct TransferCounts {
  std::atomic<int64_t> copied_bytes{0};
  std::atomic<int64_t> file_bytes{0};
  std::atomic<int64_t> cold_ranges{0};
  std::atomic<int64_t> calls{0};
};

class TransferStream {
 public:
  /// Bytes that the socket took; only grows. Any thread.
  int64_t sent_bytes() const { return sent_bytes_.load(std::memory_order_relaxed); }
  /// What was given and not sent yet. Any thread.
  int64_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }
  /// The owner sent so much itself.
  void CountSent(size_t bytes) {
    sent_bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }

 private:
  friend class Transfer;
  TransferStream(uint64_t id, std::shared_ptr<WireSocket> socket) : id_(id), socket_(std::move(socket)) {}

  const uint64_t id_;
  const std::shared_ptr<WireSocket> socket_;
  std::atomic<int64_t> sent_bytes_{0};
  std::atomic<int64_t> waiting_bytes_{0};
  std::atomic<bool> cancelled_{false};
  // The transfer thread's:
  std::deque<TransferPiece> pieces_;
  size_t done_ = 0;       // of the first piece
  size_t warm_to_ = 0;    // of the first piece: what lies before was found cached
  bool watched_ = false;  // in the poll set
  bool waits_ = false;    // for the socket or for a cold range
};

/// All that was given to a stream is sent, or will never be.
struct TransferDone {
  uint64_t stream;
  Status outcome;  // kClosed: a source was closed; kPeerGone: the connection is lost; else a region's failure
};

class Transfer {
 public:
  /// `wake` is called on the transfer's thread when TakeDone has something after it had nothing.
  explicit Transfer(std::function<void()> wake);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// `id` is never used twice.
  std::shared_ptr<TransferStream> Open(uint64_t id, std::shared_ptr<WireSocket> socket);
  /// Starts the thread with the first call. Nothing may be with the stream already. An error: nothing was
  /// taken.
  Status Send(const std::shared_ptr<TransferStream>& stream, std::vector<TransferPiece> pieces);
  /// Drops what waits; no TransferDone follows, but one may be in the queue. The socket is shut down.
  void Cancel(const std::shared_ptr<TransferStream>& stream);
  std::vector<TransferDone> TakeDone();

  const TransferCounts& counts() const { return counts_; }

 private:
  struct Order {
    std::shared_ptr<TransferStream> stream;
    std::vector<TransferPiece> pieces;  // none: cancelled
  };
  class WarmUp;
  using Streams = std::unordered_map<uint64_t, std::shared_ptr<TransferStream>>;

  Status Start();
  void Run();
  bool TakeOrders();
  void TakeWarmed();
  void Turn(const std::shared_ptr<TransferStream>& stream);
  enum class Step : uint8_t { kSent, kBlocked, kCold, kFailed };
  Step SendBytes(TransferStream& stream, size_t* sent, Status* error);
  Step SendRegion(const std::shared_ptr<TransferStream>& stream, size_t* sent, Status* error);
  void Advance(TransferStream& stream, size_t bytes);
  void Watch(TransferStream& stream);
  void Drop(TransferStream& stream);
  void Finish(const std::shared_ptr<TransferStream>& stream, Status outcome);

  const std::function<void()> wake_;
  TransferCounts counts_;
  WakeEvent orders_event_;
  WakeEvent warmed_event_;
  CompletionQueue warmed_;
  StorageThreads warmers_;
  int poll_ = -1;
  std::unique_ptr<Thread> thread_;
  // The transfer thread's:
  Streams streams_;
  std::deque<std::shared_ptr<TransferStream>> ready_;

  std::mutex mutex_;
  std::vector<Order> orders_;       // guarded by mutex_
  std::vector<TransferDone> done_;  // guarded by mutex_
  bool stopping_ = false;           // guarded by mutex_
};

}  // namespace seglog
