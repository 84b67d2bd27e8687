// An open data directory, as JavaScript holds it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "../core/data_directory.h"
#include "environment.h"

namespace seglog::addon {

/// Loop thread, but for core(), which is for any thread while the handle lives.
class DirectoryHandle final : public Resource, public std::enable_shared_from_this<DirectoryHandle> {
 public:
  explicit DirectoryHandle(std::shared_ptr<DataDirectory> core);

  const std::shared_ptr<DataDirectory>& core() const { return core_; }
  bool closed() const { return closed_; }
  /// Segments of one directory flush together.
  const std::shared_ptr<FlushGroup>& flush_group() const { return flush_group_; }

  /// Operations on one path run in order.
  const std::shared_ptr<Strand>& StrandOf(const std::string& path) {
    return strands_[std::hash<std::string>()(path) % strands_.size()];
  }

  void Begun() { ++pending_; }
  void Settled(Environment& environment, LoopOperation& operation) override;
  /// Closes once nothing is pending; gives the ticket.
  napi_value Close(Environment& environment, bool clean);
  /// At the end of the environment: as a kill would leave it.
  void CloseNow();

 private:
  const std::shared_ptr<DataDirectory> core_;
  const std::shared_ptr<FlushGroup> flush_group_;
  std::array<std::shared_ptr<Strand>, 8> strands_;
  size_t pending_ = 0;
  bool closed_ = false;
  std::unique_ptr<LoopOperation> close_;  // waits for pending_ to be 0
};

/// A partition's record in `.ends`.
class SlotHandle {
 public:
  SlotHandle(std::shared_ptr<DirectoryHandle> directory, EndsSlot* slot)
      : directory_(std::move(directory)), slot_(slot) {}
  /// Null once its directory is closed.
  EndsSlot* get() const { return directory_->closed() ? nullptr : slot_; }
  const DirectoryHandle& directory() const { return *directory_; }

 private:
  const std::shared_ptr<DirectoryHandle> directory_;
  EndsSlot* const slot_;
};

napi_value OpenDirectory(napi_env env, napi_callback_info info);
napi_value DirectoryOffline(napi_env env, napi_callback_info info);
napi_value DirectoryRemoveJournal(napi_env env, napi_callback_info info);
napi_value DirectoryClose(napi_env env, napi_callback_info info);
napi_value TopicsChanged(napi_env env, napi_callback_info info);

napi_value OpenSlot(napi_env env, napi_callback_info info);
napi_value SlotSet(napi_env env, napi_callback_info info);
napi_value SlotRaiseGeneration(napi_env env, napi_callback_info info);
napi_value SlotFree(napi_env env, napi_callback_info info);

// files.cc
napi_value ListFiles(napi_env env, napi_callback_info info);
napi_value StatFile(napi_env env, napi_callback_info info);
napi_value ReadFile(napi_env env, napi_callback_info info);
napi_value ReplaceFile(napi_env env, napi_callback_info info);
napi_value MakeDirectory(napi_env env, napi_callback_info info);
napi_value RenameFile(napi_env env, napi_callback_info info);
napi_value RemoveFile(napi_env env, napi_callback_info info);
napi_value RemoveTree(napi_env env, napi_callback_info info);
napi_value SyncDirectory(napi_env env, napi_callback_info info);

}  // namespace seglog::addon
