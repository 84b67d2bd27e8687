#include "directory.h"

#include "arguments.h"
#include "values.h"

namespace seglog::addon {

namespace {

const char* NameOf(LeftBehind left_behind) {
  switch (left_behind) {
    case LeftBehind::kNew:
      return "new";
    case LeftBehind::kClean:
      return "clean";
    case LeftBehind::kKilled:
      return "killed";
    case LeftBehind::kScan:
      return "scan";
  }
  return "scan";
}

std::string HexOf(const TopicId& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : id) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool TopicIdOf(const std::string& hex, TopicId* id) {
  if (hex.size() != 2 * id->size()) return false;
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  for (size_t i = 0; i < id->size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*id)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

napi_value EndsValue(napi_env env, const PartitionEnds& ends) {
  return ObjectMaker(env)
      .Set("topicId", HexOf(ends.topic_id))
      .Set("partition", int64_t{ends.partition})
      .Set("segmentBase", ends.segment_base.value)
      .Set("endPosition", ends.end_position.value)
      .Set("endOffset", ends.end_offset.value)
      .Set("durableSegmentBase", ends.durable_segment_base.value)
      .Set("durablePosition", ends.durable_position.value)
      .Set("durableOffset", ends.durable_offset.value)
      .Set("highWatermark", ends.high_watermark.value)
      .Set("lastStableOffset", ends.last_stable_offset.value)
      .Set("logStartOffset", ends.log_start_offset.value)
      .Set("generation", ends.generation)
      .object();
}

}  // namespace

DirectoryHandle::DirectoryHandle(std::shared_ptr<DataDirectory> core)
    : core_(std::move(core)), flush_group_(std::make_shared<FlushGroup>(core_)) {
  for (auto& strand : strands_) strand = std::make_shared<Strand>();
}

void DirectoryHandle::Settled(Environment& environment, LoopOperation&) {
  if (--pending_ == 0 && close_) environment.Queue(nullptr, std::move(close_));
}

napi_value DirectoryHandle::Close(Environment& environment, bool clean) {
  closed_ = true;
  auto close = MakeTask(nullptr, [core = core_, clean] {
    core->OnOffline(nullptr);
    return core->Close(clean);
  });
  if (pending_ == 0) return environment.Submit(nullptr, std::move(close));
  close->ticket = environment.Begin();
  close_ = std::move(close);
  return Number(environment.env(), close_->ticket);
}

void DirectoryHandle::CloseNow() {
  closed_ = true;
  core_->OnOffline(nullptr);
  (void)core_->Close(false);
}

// openDirectory(path, readOnly, create, journalBytes): ticket of {handle, path, leftBehind, live, mappedLane,
// journalWaits, ends, offlineTicket}
napi_value OpenDirectory(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const std::string path = arguments.Text(0, "path");
  DirectoryOptions options;
  options.read_only = arguments.Flag(1, "readOnly");
  options.create = arguments.Flag(2, "create");
  options.journal_bytes = arguments.Integer(3, "journalBytes");
  if (arguments.failed()) return nullptr;

  Environment& environment = arguments.environment();
  return environment.Submit(
      nullptr, MakeTask(
                   nullptr, [path, options] { return DataDirectory::Open(ProcessIo(), path, options); },
                   [&environment](napi_env env, std::shared_ptr<DataDirectory>& core) {
                     auto handle = std::make_shared<DirectoryHandle>(core);
                     const double offline_ticket = environment.EventTicket();
                     core->OnOffline([&environment, offline_ticket](const Status& cause) {
                       environment.Notify(offline_ticket, cause);
                     });
                     return ObjectMaker(env)
                         .Set("handle", double(environment.directories.Add(std::move(handle))))
                         .Set("path", core->path())
                         .Set("leftBehind", NameOf(core->left_behind()))
                         .Set("live", core->live())
                         .Set("mappedLane", core->mapped_lane())
                         .Set("journalWaits", core->journal_waits())
                         .Set("ends", ArrayOf(env, core->ends(), EndsValue))
                         .Set("offlineTicket", offline_ticket)
                         .object();
                   }));
}

// directoryOffline(directory): boolean
napi_value DirectoryOffline(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  DirectoryHandle* directory = arguments.environment().directories.Find(arguments.Bits(0, "directory"));
  return Boolean(env, directory != nullptr && directory->core()->offline());
}

// directoryRemoveJournal(directory): ticket
napi_value DirectoryRemoveJournal(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const uint32_t handle = arguments.Bits(0, "directory");
  if (arguments.failed()) return nullptr;
  Environment& environment = arguments.environment();
  std::shared_ptr<DirectoryHandle> directory = environment.directories.Share(handle);
  if (!directory) return environment.ThrowClosed("directory");
  directory->Begun();
  return environment.Submit(
      nullptr, MakeTask(directory, [core = directory->core()] { return core->RemoveJournal(); }));
}

// directoryClose(directory, clean): ticket
napi_value DirectoryClose(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const uint32_t handle = arguments.Bits(0, "directory");
  const bool clean = arguments.Flag(1, "clean");
  if (arguments.failed()) return nullptr;
  Environment& environment = arguments.environment();
  if (environment.directories.Find(handle) == nullptr) return environment.ThrowClosed("directory");
  return environment.directories.Remove(handle)->Close(environment, clean);
}

// topicsChanged(directory)
napi_value TopicsChanged(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  Environment& environment = arguments.environment();
  DirectoryHandle* directory = environment.directories.Find(arguments.Bits(0, "directory"));
  if (directory == nullptr) return environment.ThrowClosed("directory");
  directory->core()->TopicsChanged();
  return nullptr;
}

// openSlot(directory, topicId, partition): handle
napi_value OpenSlot(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const uint32_t handle = arguments.Bits(0, "directory");
  TopicId topic_id;
  if (!TopicIdOf(arguments.Text(1, "topicId"), &topic_id))
    arguments.Refuse("topicId", "32 lower-case hex digits");
  const int32_t partition = arguments.Int32(2, "partition", 0);
  if (arguments.failed()) return nullptr;
  Environment& environment = arguments.environment();
  std::shared_ptr<DirectoryHandle> directory = environment.directories.Share(handle);
  if (!directory) return environment.ThrowClosed("directory");
  Result<EndsSlot*> slot = directory->core()->Slot(topic_id, partition);
  if (!slot.ok()) return environment.Throw(slot.status());
  return Number(env, environment.slots.Add(std::make_shared<SlotHandle>(std::move(directory), *slot)));
}

// slotSet(slot, highWatermark, lastStableOffset, logStartOffset): -1 leaves a mark as it is
napi_value SlotSet(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  Environment& environment = arguments.environment();
  const uint32_t handle = arguments.Bits(0, "slot");
  std::optional<RecordOffset> marks[3];
  constexpr const char* kNames[3] = {"highWatermark", "lastStableOffset", "logStartOffset"};
  for (size_t i = 0; i < 3; ++i) {
    const int64_t offset = arguments.Integer(i + 1, kNames[i], -1);
    if (offset >= 0) marks[i] = RecordOffset(offset);
  }
  if (arguments.failed()) return nullptr;
  const SlotHandle* slot = environment.slots.Find(handle);
  if (slot == nullptr || slot->get() == nullptr)
    return environment.ThrowClosed("directory of this partition");
  slot->get()->SetMarks(marks[0], marks[1], marks[2]);
  return nullptr;
}

// slotRaiseGeneration(slot)
napi_value SlotRaiseGeneration(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  Environment& environment = arguments.environment();
  const SlotHandle* slot = environment.slots.Find(arguments.Bits(0, "slot"));
  if (slot == nullptr || slot->get() == nullptr)
    return environment.ThrowClosed("directory of this partition");
  slot->get()->RaiseGeneration();
  return nullptr;
}

// slotFree(slot): the number names nothing afterwards
napi_value SlotFree(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  Environment& environment = arguments.environment();
  const uint32_t handle = arguments.Bits(0, "slot");
  const SlotHandle* slot = environment.slots.Find(handle);
  if (slot == nullptr || slot->get() == nullptr)
    return environment.ThrowClosed("directory of this partition");
  slot->get()->Free();
  environment.slots.Remove(handle);
  return nullptr;
}

}  // namespace seglog::addon
