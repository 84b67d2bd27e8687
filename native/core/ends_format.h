// The bytes of `.ends` (ends_file.h): header and record, little-endian. Pure functions over memory.
#pragma once

#include <string>

#include "ends_file.h"

namespace seglog::ends_format {

inline constexpr size_t kVolatileAt = 256;  // from here on the header changes while it is used
inline constexpr size_t kStandingAt = kVolatileAt;
inline constexpr uint32_t kPoisoned = 1;
inline constexpr uint32_t kRetired = 2;
inline constexpr size_t kChangeCounterAt = kVolatileAt + 64;  // a cache line of its own: appends raise it
inline constexpr size_t kTopicsGenerationAt = kVolatileAt + 128;

/// Which file this is, on which start of which machine.
struct Identity {
  std::string boot_id;
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const Identity&) const = default;
};

struct Record {
  uint32_t state = 0;  // EndsSlot's; 0 also for a record never used
  uint64_t sequence = 0;
  PartitionEnds ends;
  bool damaged = false;  // in use once, and neither copy is intact
};

void FillHeader(uint8_t* header, const Identity& identity);
/// nullopt if this is no intact header of this version.
std::optional<Identity> ParseHeader(ByteSpan header);
void FillCopy(uint8_t* copy, const Record& record) noexcept;
/// The newer intact copy of the two in 256 bytes.
Record ParseRecord(const uint8_t* record) noexcept;

}  // namespace seglog::ends_format
