#include "prebuilt_batch.h"

#include <algorithm>
#include <chrono>

#include "big_endian.h"
#include "byte_writer.h"
#include "crc32c.h"
#include "record_batch.h"

namespace load {

namespace {

int VarintSize(int32_t value) {
  ByteWriter writer;
  writer.Varint(value);
  return static_cast<int>(writer.size());
}

/// Bytes behind the record's length field: attributes, time delta, offset delta, null key, value, no headers.
int32_t RecordLength(int32_t delta, int32_t record_bytes) {
  return 1 + 1 + VarintSize(delta) + 1 + VarintSize(record_bytes) + record_bytes + 1;
}

void WriteCrc(std::vector<uint8_t>& bytes) {
  seglog::PatchCrc(bytes.data(),
                   seglog::Crc32c(bytes.data() + seglog::kCrcStart, bytes.size() - seglog::kCrcStart));
}

int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void WriteHeader(ByteWriter& writer, int32_t records) {
  const int64_t now = UnixMs();
  writer.Int64(0);   // base offset
  writer.Int32(0);   // length, known at the end
  writer.Int32(-1);  // leader epoch
  writer.Int8(2);    // magic
  writer.Int32(0);   // CRC
  writer.Int16(0);   // attributes
  writer.Int32(records - 1);
  writer.Int64(now);
  writer.Int64(now);
  writer.Int64(-1);  // no producer id, epoch, sequence
  writer.Int16(-1);
  writer.Int32(-1);
  writer.Int32(records);
}

}  // namespace

PrebuiltBatch BuildBatch(int32_t records, int32_t record_bytes, uint32_t seed) {
  PrebuiltBatch batch;
  batch.records = records;
  ByteWriter writer;
  WriteHeader(writer, records);
  std::vector<uint8_t> value(static_cast<size_t>(record_bytes));
  for (int32_t delta = 0; delta < records; ++delta) {
    writer.Varint(RecordLength(delta, record_bytes));
    writer.Int8(0);
    writer.Varint(0);
    writer.Varint(delta);
    writer.Varint(-1);
    writer.Varint(record_bytes);
    if (delta == 0) batch.first_value = writer.size();
    for (auto& byte : value) {
      seed = seed * 1664525 + 1013904223;
      byte = static_cast<uint8_t>(seed >> 24);
    }
    writer.Raw(value);
    writer.Varint(0);
  }
  seglog::StoreBig32(writer.at(8), static_cast<int32_t>(writer.size() - seglog::kBatchLengthEnd));
  batch.bytes = writer.Take();
  WriteCrc(batch.bytes);
  return batch;
}

PrebuiltBatch BuildBatchOfBytes(int64_t batch_bytes, int32_t record_bytes, uint32_t seed) {
  int64_t left = batch_bytes - static_cast<int64_t>(seglog::kBatchOverhead);
  int32_t records = 0;
  for (;; ++records) {
    const int32_t length = RecordLength(records, record_bytes);
    left -= VarintSize(length) + length;
    if (left < 0) break;
  }
  return BuildBatch(std::max(records, 1), record_bytes, seed);
}

void StampBatch(std::vector<uint8_t>& bytes, size_t first_value, int64_t time_ns) {
  seglog::StoreBig64(bytes.data() + first_value, time_ns);
  WriteCrc(bytes);
}

int64_t StampOf(const uint8_t* batch, size_t first_value) { return seglog::LoadBig64(batch + first_value); }

}  // namespace load
