// A broker that does nothing, to see what the load itself could do at most: it throws away what is produced,
// unread and uncopied, and answers every fetch with the same batch under the offset asked for. Options
// batch-bytes= and record-bytes= of that batch, records= (what a reader finds in each partition). Prints its
// port, then serves until it is killed. Knows the topics that it is asked for, with one partition each.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "answers.h"
#include "byte_reader.h"
#include "byte_writer.h"
#include "fail.h"
#include "modes.h"
#include "prebuilt_batch.h"
#include "record_batch.h"
#include "requests.h"

namespace load {

namespace {

constexpr size_t kBuffer = 64 << 10;

struct Stored {
  PrebuiltBatch batch;
  int64_t records;
};

/// Length and response header 1.
ByteWriter Begin(int32_t correlation) {
  ByteWriter writer;
  writer.Int32(0);
  writer.Int32(correlation);
  writer.NoTags();
  return writer;
}

std::vector<uint8_t> Finish(ByteWriter& writer, size_t following = 0) {
  seglog::StoreBig32(writer.at(0), static_cast<int32_t>(writer.size() - 4 + following));
  return writer.Take();
}

std::vector<uint8_t> Produced(int32_t correlation) {
  ByteWriter writer = Begin(correlation);
  writer.CompactCount(1);
  writer.Id({});
  writer.CompactCount(1);
  writer.Int32(0);   // partition
  writer.Int16(0);   // no error
  writer.Int64(0);   // base offset
  writer.Int64(-1);  // append time
  writer.Int64(0);   // log start
  writer.CompactCount(0);
  writer.CompactNull();
  writer.NoTags();
  writer.NoTags();
  writer.Int32(0);  // throttled for
  writer.NoTags();
  return Finish(writer);
}

std::vector<uint8_t> MetadataOf(ByteReader& request, int32_t correlation) {
  ByteWriter writer = Begin(correlation);
  writer.Int32(0);         // throttled for
  writer.CompactCount(0);  // brokers
  writer.CompactNull();
  writer.Int32(0);
  const uint32_t topics = request.CompactCount();
  writer.CompactCount(topics);
  for (uint32_t i = 0; i < topics; ++i) {
    request.Id();
    const std::string name = request.CompactText();
    request.SkipTags();
    writer.Int16(0);
    writer.CompactText(name);
    writer.Id({});
    writer.Int8(0);
    writer.CompactCount(1);
    writer.Int16(0);
    for (int zeros = 0; zeros < 3; ++zeros) writer.Int32(0);  // partition, leader, leader epoch
    for (int lists = 0; lists < 3; ++lists) writer.CompactCount(0);
    writer.NoTags();
    writer.Int32(0);
    writer.NoTags();
  }
  writer.NoTags();
  return Finish(writer);
}

/// ListOffsets and CreateTopics of no topics: nothing failed.
std::vector<uint8_t> Nothing(int32_t correlation) {
  ByteWriter writer = Begin(correlation);
  writer.Int32(0);  // throttled for
  writer.CompactCount(0);
  writer.NoTags();
  return Finish(writer);
}

/// The offset asked for by a Fetch of one topic's one partition.
int64_t OffsetWanted(ByteReader& request) {
  request.Take(4 + 4 + 4 + 1 + 4 + 4);  // wait, least and most bytes, isolation, session
  request.CompactCount();
  request.Id();
  request.CompactCount();
  request.Take(4 + 4);  // partition, leader epoch
  return request.Int64();
}

/// Up to the records, which follow.
std::vector<uint8_t> FetchedHead(int32_t correlation, int64_t end, size_t records_bytes) {
  ByteWriter writer = Begin(correlation);
  writer.Int32(0);  // throttled for
  writer.Int16(0);
  writer.Int32(0);  // session
  writer.CompactCount(1);
  writer.Id({});
  writer.CompactCount(1);
  writer.Int32(0);
  writer.Int16(0);
  writer.Int64(end);
  writer.Int64(end);
  writer.Int64(0);
  writer.CompactNull();
  writer.Int32(-1);
  writer.CompactCount(records_bytes);
  return Finish(writer, records_bytes + sizeof kProduceTail);
}

void SendAll(int socket, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
}

void AnswerFetch(int socket, int32_t correlation, int64_t offset, const Stored& stored,
                 std::vector<uint8_t>& batch) {
  const bool more = offset < stored.records;
  const size_t size = more ? batch.size() : 0;
  seglog::PatchBaseOffset(batch.data(), seglog::RecordOffset(offset));
  SendAll(socket, FetchedHead(correlation, stored.records, size));
  SendAll(socket, std::span(batch).first(size));
  SendAll(socket, kProduceTail);  // three empty tag sections, here too
}

/// Discards what has not been read yet, in the kernel.
bool Discard(int socket, size_t bytes) {
  while (bytes > 0) {
    const ssize_t gone = recv(socket, nullptr, bytes, MSG_TRUNC);
    if (gone <= 0) return false;
    bytes -= static_cast<size_t>(gone);
  }
  return true;
}

void Answer(int socket, std::span<const uint8_t> request, const Stored& stored, std::vector<uint8_t>& batch,
            std::vector<uint8_t>& answers) {
  ByteReader reader(request);
  const int16_t key = reader.Int16();
  reader.Int16();
  const int32_t correlation = reader.Int32();
  reader.Take(static_cast<size_t>(reader.Int16()));
  reader.SkipTags();
  if (key == api::kFetch) return AnswerFetch(socket, correlation, OffsetWanted(reader), stored, batch);
  const auto answer = key == api::kProduce    ? Produced(correlation)
                      : key == api::kMetadata ? MetadataOf(reader, correlation)
                                              : Nothing(correlation);
  answers.insert(answers.end(), answer.begin(), answer.end());
}

/// A connection until its end. Requests are looked at as far as the buffer holds them, which is enough to
/// answer.
void Serve(int socket, const Stored& stored) {
  std::vector<uint8_t> batch = stored.batch.bytes;
  std::vector<uint8_t> buffer(kBuffer);
  size_t end = 0;
  for (;;) {
    const ssize_t got = recv(socket, buffer.data() + end, buffer.size() - end, 0);
    if (got <= 0) break;
    end += static_cast<size_t>(got);
    std::vector<uint8_t> answers;
    size_t at = 0;
    while (end - at >= 4) {
      const size_t size = static_cast<size_t>(seglog::LoadBig32(buffer.data() + at));
      const size_t here = std::min(size, end - at - 4);
      if (here < size && size < buffer.size() / 2) break;  // small: comes whole
      if (here < size && !Discard(socket, size - here)) break;
      Answer(socket, std::span(buffer).subspan(at + 4, here), stored, batch, answers);
      at += 4 + here;
    }
    SendAll(socket, answers);
    std::memmove(buffer.data(), buffer.data() + at, end - at);
    end -= at;
  }
  close(socket);
}

}  // namespace

void RunSink(Options& options) {
  const auto record_bytes = static_cast<int32_t>(options.Number("record-bytes", 1024));
  Stored stored;
  stored.batch = BuildBatchOfBytes(options.Number("batch-bytes", 1'000'000), record_bytes, 1);
  stored.records = options.Number("records", 1'000'000) / stored.batch.records * stored.batch.records;
  options.MustBeUsed();

  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 128) != 0) {
    Fail("the sink cannot listen");
  }
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("{\"port\":%d}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (;;) {
    const int accepted = accept(listener, nullptr, nullptr);
    if (accepted < 0) continue;
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread(Serve, accepted, std::cref(stored)).detach();
  }
}

}  // namespace load
