/** Codes of errors that arise in TypeScript. The engine's own are in `codes.ts`, Kafka's in `ts/protocol/errors.ts`. */
export const libraryErrors = {
  INVALID_OPTION: 'give the option a value of the kind the message names',
  MISSPELLED_OPTION: 'use the spelling the message gives',
  UNKNOWN_CONFIG: 'use the nearest known key, which the message names',
  CORRUPT_METADATA: 'seglog.json cannot be read; restore it from a copy, the partitions themselves are untouched',
  CONSUMER_BUSY: 'a consumer runs one loop at a time; end the first, or make another consumer',
  MALFORMED_MESSAGE: 'the other side does not speak the Kafka protocol as it should; check host, port and version',
  LISTEN_FAILED: 'choose another host or port, or stop the program that listens there',
  TIMED_OUT: 'the time given ran out; what was sent before may have been stored',
  ABORTED: 'the signal that was passed ended the call',
  LOG_TRUNCATED: 'records that were read are gone from the log; seek, or say by autoOffsetReset where to go then',
  BUFFER_FULL: 'the producer holds as many waiting sends as it may; await them, or raise maxWaitingSends',
  DECOMPRESSION_FAILED: 'the batch was damaged before it was stored; seek past it',
  DECOMPRESSED_TOO_LARGE: 'raise the decompression limit if the batch is to be trusted; else seek past it',
  GROUP_PROTOCOL_REFUSED:
    "the broker, or the group as it is, does not take groupProtocol 'consumer'; the message says why",
  NATIVE_BINARY_MISSING: 'no binary for this platform came with the package; run `npx seglog build-native`',
} as const satisfies Record<string, string>

export type LibraryErrorCode = keyof typeof libraryErrors
