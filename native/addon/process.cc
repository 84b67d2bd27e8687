// What belongs to the process and not to an environment: checksums, live mappings, the I/O seam's test hook.
#include "../core/crc32c.h"
#include "arguments.h"
#include "segment.h"
#include "values.h"

namespace seglog::addon {

// crc32c(bytes, crc): number
napi_value Crc32cOf(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const MutableByteSpan bytes = arguments.Bytes(0, "bytes");
  const uint32_t crc = arguments.Bits(1, "crc");
  if (arguments.failed()) return nullptr;
  return Number(env, Crc32c(bytes.data(), bytes.size(), crc));
}

// liveMappings(): number
napi_value LiveMappingsOf(napi_env env, napi_callback_info) {
  return Number(env, static_cast<double>(LiveMappings()));
}

// injectFaults(failNth, sticky, kinds, pathIncludes, errno): failNth 0 only counts, -1 ends the plan. kinds
// is a list of names joined by commas, empty for all. errno 0 kills the process at that call.
napi_value InjectFaults(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  FaultPlan plan;
  plan.fail_nth = arguments.Integer(0, "failNth", -1);
  plan.sticky = arguments.Flag(1, "sticky");
  const std::string kinds = arguments.Text(2, "kinds");
  plan.path_includes = arguments.Text(3, "pathIncludes");
  plan.sys_errno = arguments.Int32(4, "errno", FaultPlan::kKillProcess);
  if (!kinds.empty()) plan.kinds = 0;
  for (size_t from = 0; from < kinds.size();) {
    const size_t to = std::min(kinds.find(',', from), kinds.size());
    const auto kind = IoKindFromName(std::string_view(kinds).substr(from, to - from));
    if (!kind)
      arguments.Refuse("kinds", "names of I/O calls such as open, write, msync");
    else
      plan.kinds |= static_cast<uint32_t>(*kind);
    from = to + 1;
  }
  if (arguments.failed()) return nullptr;
  if (plan.fail_nth < 0)
    ProcessIo().Clear();
  else
    ProcessIo().Inject(std::move(plan));
  return nullptr;
}

// ioCalls(): number
napi_value IoCalls(napi_env env, napi_callback_info) {
  return Number(env, static_cast<double>(ProcessIo().calls()));
}

}  // namespace seglog::addon
