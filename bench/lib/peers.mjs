/**
 * The stores people use instead, each written to in its own best way: sorted integer keys, values as Buffers, many records
 * in one transaction. `durable` asks for a flush before a write counts as done; without it the page cache is enough.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ClassicLevel } from 'classic-level'
import { open as openLmdb } from 'lmdb'

function levelKey(n) {
  const key = Buffer.allocUnsafe(8)
  key.writeBigUInt64BE(BigInt(n))
  return key
}

export function lmdb(folder, { durable }) {
  const db = openLmdb({
    path: join(folder, 'lmdb'),
    encoding: 'binary',
    keyEncoding: 'uint32',
    mapSize: 16 << 30,
    noSync: !durable,
    overlappingSync: false,
  })
  let next = 0
  return {
    async writeArray(values) {
      let last
      for (const value of values) last = db.put(next++, value)
      await last
    },
    /** One record; resolves when it is as durable as asked. */
    writeOne: (value) => db.put(next++, value),
    async readAll(visit) {
      for (const { value } of db.getRange({})) visit(value)
    },
    close: () => db.close(),
  }
}

export function sqlite(folder, { durable }) {
  const db = new Database(join(folder, 'log.sqlite'))
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`)
  db.exec('CREATE TABLE log (id INTEGER PRIMARY KEY, value BLOB)')
  const insert = db.prepare('INSERT INTO log (value) VALUES (?)')
  const insertAll = db.transaction((values) => {
    for (const value of values) insert.run(value)
  })
  let waiting = []
  return {
    async writeArray(values) {
      insertAll(values)
    },
    /** Writers of the same turn share a transaction. */
    writeOne(value) {
      return new Promise((resolve) => {
        waiting.push({ value, resolve })
        if (waiting.length > 1) return
        setImmediate(() => {
          const batch = waiting
          waiting = []
          insertAll(batch.map((entry) => entry.value))
          for (const entry of batch) entry.resolve()
        })
      })
    },
    async readAll(visit) {
      for (const row of db.prepare('SELECT value FROM log ORDER BY id').raw().iterate()) visit(row[0])
    },
    async close() {
      db.close()
    },
  }
}

export async function level(folder, { durable }) {
  const path = join(folder, 'level')
  mkdirSync(path)
  const db = new ClassicLevel(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await db.open()
  let next = 0
  return {
    writeArray: (values) =>
      db.batch(
        values.map((value) => ({ type: 'put', key: levelKey(next++), value })),
        { sync: durable },
      ),
    writeOne: (value) => db.put(levelKey(next++), value, { sync: durable }),
    async readAll(visit) {
      const iterator = db.iterator()
      for (;;) {
        const entries = await iterator.nextv(1000)
        if (entries.length === 0) break
        for (const entry of entries) visit(entry[1])
      }
      await iterator.close()
    },
    close: () => db.close(),
  }
}

export const peers = { lmdb, sqlite, level }
