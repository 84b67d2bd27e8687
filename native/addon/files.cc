// Durable operations on a directory's small files, on storage threads. Those on one path run in the order
// they were called.
#include "arguments.h"
#include "directory.h"
#include "values.h"

namespace seglog::addon {

namespace {

/// The directory and path that every call here begins with.
struct Target {
  std::shared_ptr<DirectoryHandle> directory;
  std::string path;
};

template <size_t kCount>
bool ReadTarget(Arguments<kCount>& arguments, Target* target) {
  const uint32_t handle = arguments.Bits(0, "directory");
  target->path = arguments.Text(1, "path");
  if (arguments.failed()) return false;
  target->directory = arguments.environment().directories.Share(handle);
  if (!target->directory) arguments.environment().ThrowClosed("directory");
  return target->directory != nullptr;
}

template <typename... Convert, typename Body>
napi_value SubmitOn(Environment& environment, const Target& target, Body body, Convert... convert) {
  target.directory->Begun();
  return environment.Submit(target.directory->StrandOf(target.path),
                            MakeTask(target.directory, std::move(body), std::move(convert)...));
}

/// A call of (directory, path) that resolves to undefined.
napi_value OnPath(napi_env env, napi_callback_info info,
                  Status (DataDirectory::*method)(const std::string&)) {
  Arguments<2> arguments(env, info);
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  return SubmitOn(
      arguments.environment(), target,
      [core = target.directory->core(), path = target.path, method] { return ((*core).*method)(path); });
}

napi_value BufferOf(napi_env env, const std::vector<uint8_t>& bytes) {
  napi_value buffer;
  napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &buffer);
  return buffer;
}

}  // namespace

// listFiles(directory, path): ticket of string[]
napi_value ListFiles(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  return SubmitOn(
      arguments.environment(), target,
      [core = target.directory->core(), path = target.path] { return core->List(path); },
      [](napi_env env, std::vector<std::string>& names) {
        return ArrayOf(env, names, [](napi_env env, const std::string& name) { return Text(env, name); });
      });
}

// statFile(directory, path): ticket of {size, modifiedMs, isDirectory} | null
napi_value StatFile(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  return SubmitOn(
      arguments.environment(), target,
      [core = target.directory->core(), path = target.path] { return core->Stat(path); },
      [](napi_env env, std::optional<FileInfo>& found) {
        if (!found) return Null(env);
        return ObjectMaker(env)
            .Set("size", found->size)
            .Set("modifiedMs", found->modified_ms)
            .Set("isDirectory", found->is_directory)
            .object();
      });
}

// readFile(directory, path): ticket of Buffer
napi_value ReadFile(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  return SubmitOn(
      arguments.environment(), target,
      [core = target.directory->core(), path = target.path] { return core->ReadFile(path); },
      [](napi_env env, std::vector<uint8_t>& bytes) { return BufferOf(env, bytes); });
}

// replaceFile(directory, path, bytes): ticket
napi_value ReplaceFile(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const MutableByteSpan bytes = arguments.Bytes(2, "bytes");
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  // Copied: checkpoints are small, and their maker may go on with its buffer.
  return SubmitOn(
      arguments.environment(), target,
      [core = target.directory->core(), path = target.path,
       copy = std::vector<uint8_t>(bytes.begin(), bytes.end())] { return core->ReplaceFile(path, copy); });
}

// renameFile(directory, from, to): ticket
napi_value RenameFile(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const std::string to = arguments.Text(2, "to");
  Target target;
  if (!ReadTarget(arguments, &target)) return nullptr;
  return SubmitOn(arguments.environment(), target, [core = target.directory->core(), path = target.path, to] {
    return core->Rename(path, to);
  });
}

napi_value MakeDirectory(napi_env env, napi_callback_info info) {
  return OnPath(env, info, &DataDirectory::MakeDirectory);
}

napi_value RemoveFile(napi_env env, napi_callback_info info) {
  return OnPath(env, info, &DataDirectory::Remove);
}

napi_value RemoveTree(napi_env env, napi_callback_info info) {
  return OnPath(env, info, &DataDirectory::RemoveTree);
}

napi_value SyncDirectory(napi_env env, napi_callback_info info) {
  return OnPath(env, info, &DataDirectory::SyncDirectory);
}

}  // namespace seglog::addon
