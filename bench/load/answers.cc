#include "answers.h"

#include <algorithm>

#include "byte_reader.h"

namespace load {

namespace {

/// Behind response header 1: correlation id and tags.
ByteReader Body(Bytes answer) {
  ByteReader reader(answer);
  reader.Int32();
  reader.SkipTags();
  return reader;
}

void MustBeNone(int16_t code, const char* where, int32_t partition = -1) {
  if (code == 0) return;
  Fail(std::string(where) + " answered error " + std::to_string(code) +
       (partition < 0 ? "" : " for partition " + std::to_string(partition)));
}

void SkipTopicName(ByteReader& reader, bool by_id) {
  if (by_id) {
    reader.Id();
  } else {
    reader.CompactBytes();
  }
}

}  // namespace

Produced ReadProduced(Bytes answer, int16_t version) {
  ByteReader reader = Body(answer);
  if (reader.CompactCount() != 1) Fail("Produce answered another number of topics");
  SkipTopicName(reader, version >= 13);
  if (reader.CompactCount() != 1) Fail("Produce answered another number of partitions");
  Produced produced;
  produced.partition = reader.Int32();
  MustBeNone(reader.Int16(), "Produce", produced.partition);
  produced.base_offset = reader.Int64();
  return produced;
}

void ReadFetched(Bytes answer, int16_t version, const std::function<void(const Fetched&)>& visit) {
  ByteReader reader = Body(answer);
  reader.Int32();  // throttled for
  MustBeNone(reader.Int16(), "Fetch");
  reader.Int32();  // session
  for (uint32_t topics = reader.CompactCount(); topics > 0; --topics) {
    SkipTopicName(reader, version >= 13);
    for (uint32_t partitions = reader.CompactCount(); partitions > 0; --partitions) {
      Fetched fetched;
      fetched.partition = reader.Int32();
      MustBeNone(reader.Int16(), "Fetch", fetched.partition);
      fetched.high_watermark = reader.Int64();
      reader.Int64();  // last stable offset
      reader.Int64();  // log start
      for (uint32_t aborted = reader.CompactCount(); aborted > 0; --aborted) {
        reader.Take(16);
        reader.SkipTags();
      }
      reader.Int32();  // preferred replica
      fetched.records = reader.CompactBytes();
      reader.SkipTags();
      visit(fetched);
    }
    reader.SkipTags();
  }
  reader.SkipTags();
}

bool ReadMetadata(Bytes answer, std::span<Topic> topics) {
  ByteReader reader = Body(answer);
  reader.Int32();  // throttled for
  for (uint32_t brokers = reader.CompactCount(); brokers > 0; --brokers) {
    reader.Int32();
    reader.CompactBytes();
    reader.Int32();
    reader.CompactBytes();
    reader.SkipTags();
  }
  reader.CompactBytes();  // cluster
  reader.Int32();         // controller
  if (reader.CompactCount() != topics.size()) Fail("Metadata answered another number of topics");
  bool known = true;
  for (size_t n = topics.size(); n > 0; --n) {
    known = reader.Int16() == 0 && known;
    const std::string name = reader.CompactText();
    const auto topic = std::ranges::find(topics, name, &Topic::name);
    if (topic == topics.end()) Fail("Metadata answered another topic");
    topic->id = reader.Id();
    reader.Int8();  // internal
    const uint32_t partitions = reader.CompactCount();
    topic->partitions = static_cast<int32_t>(partitions);
    known = known && partitions > 0;
    for (uint32_t i = 0; i < partitions; ++i) {
      const int16_t code = reader.Int16();
      reader.Int32();
      const int32_t leader = reader.Int32();
      known = known && code == 0 && leader >= 0;
      reader.Int32();  // leader epoch
      for (int lists = 0; lists < 3; ++lists) reader.Take(size_t{4} * reader.CompactCount());
      reader.SkipTags();
    }
    reader.Int32();  // operations
    reader.SkipTags();
  }
  return known;
}

bool ReadOffsetsListed(Bytes answer) {
  ByteReader reader = Body(answer);
  reader.Int32();  // throttled for
  bool served = true;
  for (uint32_t topics = reader.CompactCount(); topics > 0; --topics) {
    reader.CompactBytes();
    for (uint32_t partitions = reader.CompactCount(); partitions > 0; --partitions) {
      reader.Int32();
      served = reader.Int16() == 0 && served;
      reader.Take(8 + 8 + 4);  // time, offset, leader epoch
      reader.SkipTags();
    }
    reader.SkipTags();
  }
  return served;
}

void ReadCreated(Bytes answer) {
  ByteReader reader = Body(answer);
  reader.Int32();  // throttled for
  for (uint32_t topics = reader.CompactCount(); topics > 0; --topics) {
    const std::string name = reader.CompactText();
    reader.Id();
    const int16_t code = reader.Int16();
    const std::string message = reader.CompactText();
    if (code != 0) Fail("CreateTopics " + name + ": error " + std::to_string(code) + " " + message);
    reader.Int32();
    reader.Int16();
    for (uint32_t configs = reader.CompactCount(); configs > 0; --configs) {
      reader.CompactBytes();
      reader.CompactBytes();
      reader.Take(3);
      reader.SkipTags();
    }
    reader.SkipTags();
  }
}

}  // namespace load
