// The module: one function, start(complete, makeError), which gives the binding of a new engine for this
// environment. ts/native/binding.ts declares its shape.
#include <memory>
#include <vector>

#include "arguments.h"
#include "segment.h"
#include "wire_loop.h"

namespace seglog::addon {

namespace {

using Engines = std::vector<std::unique_ptr<Environment>>;

napi_value Kick(napi_env env, napi_callback_info info) {
  Arguments<0>(env, info).environment().Kick();
  return nullptr;
}

struct Function {
  const char* name;
  napi_callback callback;
};

constexpr Function kFunctions[] = {
    {"kick", Kick},
    {"openDirectory", OpenDirectory},
    {"directoryOffline", DirectoryOffline},
    {"directoryRemoveJournal", DirectoryRemoveJournal},
    {"directoryClose", DirectoryClose},
    {"topicsChanged", TopicsChanged},
    {"openSlot", OpenSlot},
    {"slotSet", SlotSet},
    {"slotRaiseGeneration", SlotRaiseGeneration},
    {"slotFree", SlotFree},
    {"listFiles", ListFiles},
    {"statFile", StatFile},
    {"readFile", ReadFile},
    {"replaceFile", ReplaceFile},
    {"makeDirectory", MakeDirectory},
    {"renameFile", RenameFile},
    {"removeFile", RemoveFile},
    {"removeTree", RemoveTree},
    {"syncDirectory", SyncDirectory},
    {"openSegment", OpenSegment},
    {"segmentState", SegmentState},
    {"appendNow", AppendNow},
    {"segmentAppend", SegmentAppend},
    {"segmentFlush", SegmentFlushNow},
    {"readNow", ReadNow},
    {"segmentRead", SegmentRead},
    {"readAtNow", ReadAtNow},
    {"segmentReadAt", SegmentReadAt},
    {"locateNow", LocateNow},
    {"segmentLocate", SegmentLocate},
    {"segmentLocateTimestamp", SegmentLocateTimestamp},
    {"segmentSeal", SegmentSeal},
    {"segmentTruncate", SegmentTruncate},
    {"segmentClose", SegmentClose},
    {"scanSegment", ScanSegmentFiles},
    {"wireStart", WireStart},
    {"wireAdopt", WireAdopt},
    {"wirePause", WirePause},
    {"wireResume", WireResume},
    {"wireSend", WireSend},
    {"wireEnd", WireEnd},
    {"wireClose", WireClose},
    {"wireState", WireState},
    {"wireFree", WireFree},
    {"wireCounts", WireCountsOf},
    {"crc32c", Crc32cOf},
    {"liveMappings", LiveMappingsOf},
    {"injectFaults", InjectFaults},
    {"ioCalls", IoCalls},
};

bool IsFunction(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

napi_value Start(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (!IsFunction(env, arguments[0]) || !IsFunction(env, arguments[1])) {
    napi_throw_type_error(env, nullptr, "start(complete, makeError) takes two functions");
    return nullptr;
  }
  void* engines = nullptr;
  napi_get_instance_data(env, &engines);
  auto& environment = *static_cast<Engines*>(engines)->emplace_back(
      std::make_unique<Environment>(env, arguments[0], arguments[1]));

  napi_value binding;
  napi_create_object(env, &binding);
  for (const Function& function : kFunctions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, &environment, &value);
    napi_set_named_property(env, binding, function.name, value);
  }
  return binding;
}

}  // namespace

// Engines shut down in their cleanup hooks; their memory goes with the instance data, after every hook.
napi_value Init(napi_env env, napi_value exports) {
  napi_set_instance_data(
      env, new Engines, [](napi_env, void* engines, void*) { delete static_cast<Engines*>(engines); },
      nullptr);
  napi_value start;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, Start, nullptr, &start);
  napi_set_named_property(env, exports, "start", start);
  return exports;
}

}  // namespace seglog::addon

NAPI_MODULE_INIT() { return seglog::addon::Init(env, exports); }
