// The calls on wires; ts/native/binding.ts says what each does.
#include "../core/wires.h"

#include <algorithm>
#include <utility>

#include "arguments.h"
#include "segment.h"
#include "values.h"
#include "wire_loop.h"

namespace seglog::addon {

namespace {

constexpr size_t kMostParts = 1024;  // of one call of the system
constexpr size_t kStateNumbers = 4;
constexpr size_t kCountNumbers = 10;

/// The wires of this environment, where the first argument names one of them; null with CLOSED thrown else.
template <typename ArgumentsT>
WireLoop* LoopOf(ArgumentsT& arguments, uint32_t* wire) {
  *wire = arguments.Bits(0, "wire");
  if (arguments.failed()) return nullptr;
  WireLoop* const loop = arguments.environment().wires.get();
  if (loop != nullptr && loop->wires().Has(*wire)) return loop;
  arguments.environment().ThrowClosed("connection");
  return nullptr;
}

double* Numbers(napi_env env, napi_value array, size_t least) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr);
  return status == napi_ok && type == napi_float64_array && length >= least ? static_cast<double*>(data)
                                                                            : nullptr;
}

/// The parts of an answer, as JavaScript gives them.
class Parts {
 public:
  Parts(Environment& environment, napi_value array) : environment_(environment), array_(array) {}

  /// False with an exception pending.
  bool Read() {
    const napi_env env = environment_.env();
    uint32_t count = 0;
    if (napi_get_array_length(env, array_, &count) != napi_ok) return Refuse();
    bytes.reserve(count);
    for (uint32_t i = 0; i < count;) {
      napi_value element;
      MutableByteSpan span;
      if (napi_get_element(env, array_, i, &element) != napi_ok) return Refuse();
      if (BytesOf(env, element, &span)) {
        bytes.push_back({span.data(), span.size()});
        ++i;
      } else {
        if (count - i < 3 || !ReadRegion(i)) return false;
        i += 3;
      }
    }
    if (!pieces.empty()) TakeBytes();
    return true;
  }

  /// All of it, where there is a region among it; else empty.
  std::vector<TransferPiece> pieces;
  /// All of it where there is none.
  std::vector<iovec> bytes;

 private:
  bool Refuse() {
    ThrowInvalidArgument(environment_, "parts", "Uint8Arrays and regions");
    return false;
  }

  bool ReadRegion(uint32_t from) {
    int64_t numbers[3];
    for (uint32_t i = 0; i < 3; ++i) {
      napi_value element;
      double number = -1;
      if (napi_get_element(environment_.env(), array_, from + i, &element) != napi_ok ||
          napi_get_value_double(environment_.env(), element, &number) != napi_ok || !(number >= 0) ||
          number > kMaxSafeInteger) {
        return Refuse();
      }
      numbers[i] = static_cast<int64_t>(number);
    }
    const auto segment = environment_.segments.Share(static_cast<uint32_t>(numbers[0]));
    if (!segment) {
      environment_.ThrowClosed("segment");
      return false;
    }
    TakeBytes();
    TransferPiece piece;
    piece.source = segment->core();
    piece.position = FilePosition(numbers[1]);
    piece.size = static_cast<size_t>(numbers[2]);
    pieces.push_back(std::move(piece));
    return true;
  }

  void TakeBytes() {
    for (const iovec& part : std::exchange(bytes, {})) {
      const auto* from = static_cast<const uint8_t*>(part.iov_base);
      TransferPiece piece;
      piece.bytes.assign(from, from + part.iov_len);
      piece.size = part.iov_len;
      pieces.push_back(std::move(piece));
    }
  }

  Environment& environment_;
  const napi_value array_;
};

}  // namespace

// wireStart(events, deliver)
napi_value WireStart(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  Environment& environment = arguments.environment();
  napi_valuetype type;
  if (Numbers(env, arguments[0], WireLoop::kEventNumbers + WireLoop::kFrameNumbers) == nullptr) {
    arguments.Refuse("events", "a Float64Array with room for an event");
  } else if (napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function) {
    arguments.Refuse("deliver", "a function");
  } else if (environment.wires) {
    arguments.Refuse("wireStart", "called once");
  } else {
    environment.wires = WireLoop::Start(environment, arguments[0], arguments[1]);
  }
  return nullptr;
}

// wireAdopt(descriptor, maxRequestBytes): wire
napi_value WireAdopt(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const int32_t descriptor = arguments.Int32(0, "descriptor", 0);
  const int32_t most = arguments.Int32(1, "maxRequestBytes", 0);
  if (arguments.failed()) return nullptr;
  WireLoop* const loop = arguments.environment().wires.get();
  if (loop == nullptr) return arguments.environment().ThrowClosed("connections' poll set");
  const auto wire = loop->wires().Adopt(descriptor, most);
  if (!wire.ok()) return arguments.environment().Throw(wire.status());
  loop->Hold();
  return Number(env, wire.value());
}

// wirePause(wire)
napi_value WirePause(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  uint32_t wire;
  if (WireLoop* loop = LoopOf(arguments, &wire)) loop->wires().Pause(wire);
  return nullptr;
}

// wireResume(wire)
napi_value WireResume(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  uint32_t wire;
  if (WireLoop* loop = LoopOf(arguments, &wire)) loop->wires().Resume(wire);
  return nullptr;
}

// wireSend(wire, parts, force): whether all of it has left
napi_value WireSend(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  uint32_t wire;
  WireLoop* const loop = LoopOf(arguments, &wire);
  if (loop == nullptr) return nullptr;
  const bool force = arguments.Flag(2, "force");
  if (arguments.failed()) return nullptr;
  if (loop->wires().IsSending(wire)) {
    arguments.Refuse("parts", "given once what was given before has left");
    return nullptr;
  }
  Parts parts(arguments.environment(), arguments[1]);
  if (!parts.Read()) return nullptr;
  const bool is_whole = force || parts.bytes.size() > kMostParts;
  return Boolean(env, loop->wires().Send(wire, std::move(parts.pieces), parts.bytes, is_whole));
}

// wireEnd(wire)
napi_value WireEnd(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  uint32_t wire;
  if (WireLoop* loop = LoopOf(arguments, &wire)) loop->wires().EndSending(wire);
  return nullptr;
}

// wireClose(wire): the number names nothing from now on
napi_value WireClose(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  uint32_t wire;
  if (WireLoop* loop = LoopOf(arguments, &wire)) {
    loop->wires().Close(wire);
    loop->Hold();
  }
  return nullptr;
}

// wireState(wire, state): fills held, sent, waiting, first two bytes of what is held
napi_value WireState(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  uint32_t wire;
  WireLoop* const loop = LoopOf(arguments, &wire);
  if (loop == nullptr) return nullptr;
  double* const state = Numbers(env, arguments[1], kStateNumbers);
  if (state == nullptr) {
    arguments.Refuse("state", "a Float64Array of four numbers");
    return nullptr;
  }
  const TransferStream& stream = loop->wires().stream(wire);
  state[0] = static_cast<double>(loop->wires().cutter(wire).held());
  state[1] = static_cast<double>(stream.sent_bytes());
  state[2] = static_cast<double>(stream.waiting_bytes());
  state[3] = loop->wires().cutter(wire).begins_with();
  return nullptr;
}

// wireFree(block)
napi_value WireFree(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  if (napi_detach_arraybuffer(env, arguments[0]) != napi_ok) arguments.Refuse("block", "an ArrayBuffer");
  return nullptr;
}

// wireCounts(counts)
napi_value WireCountsOf(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  double* const counts = Numbers(env, arguments[0], kCountNumbers);
  if (counts == nullptr) {
    arguments.Refuse("counts", "a Float64Array of ten numbers");
    return nullptr;
  }
  std::fill_n(counts, kCountNumbers, 0.0);
  WireLoop* const loop = arguments.environment().wires.get();
  if (loop == nullptr) return nullptr;
  const WireCounts& own = loop->wires().counts();
  const TransferCounts& transfer = loop->wires().transfer_counts();
  const int64_t numbers[] = {own.sent_bytes,
                             transfer.copied_bytes.load(),
                             transfer.file_bytes.load(),
                             transfer.cold_ranges.load(),
                             own.send_calls,
                             transfer.calls.load(),
                             own.received_bytes,
                             own.receive_calls,
                             WireLoop::Pool().used_bytes(),
                             static_cast<int64_t>(loop->wires().size())};
  std::copy(std::begin(numbers), std::end(numbers), counts);
  return nullptr;
}

}  // namespace seglog::addon
