// What a `.journal` (commit_journal.h) was left for. After a power loss its frames are written to the
// segments they came from and flushed, before anything else looks at them; after a kill, whose page cache is
// intact, the same ranges are only flushed. Both can be done again and change nothing the second time.
//
// An entry is used when its CRC holds, its frame is not older than what the journal itself still needed, and
// there is a folder of its topic id (by `partition.metadata`) and partition with that segment in it. Frames
// are taken in the order they were written.
//
// Thread rule: no state; by whoever opens the directory, before anything else.
#pragma once

#include <cstdint>
#include <string>

#include "io.h"
#include "status.h"

namespace seglog {

enum class JournalUse {
  kCount,   // reads only
  kFlush,   // the ranges to disk, as they are in the files
  kReplay,  // written to the files, and to disk
};

struct JournalReplay {
  int64_t frames = 0;   // that counted
  int64_t entries = 0;  // used; for kCount: that could be
  int64_t bytes = 0;    // in them
  int64_t skipped = 0;  // no such segment
  int64_t damaged = 0;  // wrong CRC
};

/// Nothing at all where there is no journal, or none that was ever made whole. kUnsupported when a newer
/// version wrote it. Other errors are those of I/O.
Result<JournalReplay> UseJournal(Io& io, const std::string& directory, JournalUse use);

}  // namespace seglog
