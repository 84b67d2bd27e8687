import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ApiKey, apis } from '../../../ts/protocol/apis.js'
import {
  readRequest,
  readRequestHeader,
  readResponse,
  readResponseHeader,
  writeRequest,
  writeResponse,
} from '../../../ts/protocol/codec/frames.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { bodyOf, chunked, joined, normal } from './frame-samples.js'
import { messageAt } from './message-arbitrary.js'

/** Where to cut a frame into chunks, as a socket might. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })

for (const [name, { request, response }] of Object.entries(apis).map(([key, api]) => [key, api] as const)) {
  const key = Number(name) as ApiKey
  describe(`${apis[key].name}`, () => {
    for (let version = request.versions.from; version <= request.versions.to; version++) {
      it(`request version ${version}`, () => {
        const sample = fc.record({
          value: messageAt(request, version),
          clientId: fc.option(fc.string()),
          id: fc.integer(),
          cuts,
        })
        fc.assert(
          fc.property(sample, ({ value, clientId, id, cuts }) => {
            const frame = joined(writeRequest(key, version, id, clientId, value as never))
            const reader = new Reader(chunked(bodyOf(frame), cuts))
            expect(readRequestHeader(reader)).toEqual({ apiKey: key, apiVersion: version, correlationId: id, clientId })
            const read = readRequest(reader, key, version)
            expect(reader.remaining).toBe(0)
            expect(normal(request.fields, read)).toEqual(normal(request.fields, value))
            expect(joined(writeRequest(key, version, id, clientId, read as never))).toEqual(frame)
          }),
          { numRuns: 20 },
        )
      })

      it(`response version ${version}`, () => {
        const sample = fc.record({ value: messageAt(response, version), id: fc.integer(), cuts })
        fc.assert(
          fc.property(sample, ({ value, id, cuts }) => {
            const frame = joined(writeResponse(key, version, id, value as never) as Uint8Array[])
            const reader = new Reader(chunked(bodyOf(frame), cuts))
            expect(readResponseHeader(reader, key, version)).toBe(id)
            const read = readResponse(reader, key, version)
            expect(reader.remaining).toBe(0)
            expect(normal(response.fields, read)).toEqual(normal(response.fields, value))
            expect(joined(writeResponse(key, version, id, read as never) as Uint8Array[])).toEqual(frame)
          }),
          { numRuns: 20 },
        )
      })
    }
  })
}
