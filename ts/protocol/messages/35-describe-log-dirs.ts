import { array, bool, each, type Infer, int16, int32, int64, message, string, struct } from '../schema.js'

export const describeLogDirsRequest = message({
  name: 'DescribeLogDirsRequest',
  apiKey: 35,
  versions: '1-5',
  flexible: '2+',
  fields: {
    /** Null: all topics. */
    topics: array(
      struct({
        topic: string(),
        partitions: array(each.int32),
      }),
      { nullable: '0+' },
    ),
  },
})
export type DescribeLogDirsRequest = Infer<typeof describeLogDirsRequest>

export const describeLogDirsResponse = message({
  name: 'DescribeLogDirsResponse',
  apiKey: 35,
  versions: '1-5',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16({ versions: '3+', ignorable: true }),
    results: array(
      struct({
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                offsetLag: int64(),
                isFutureKey: bool(),
              }),
            ),
          }),
        ),
        totalBytes: int64({ versions: '4+', default: -1n, ignorable: true }),
        usableBytes: int64({ versions: '4+', default: -1n, ignorable: true }),
        isCordoned: bool({ versions: '5+', ignorable: true }),
      }),
    ),
  },
})
export type DescribeLogDirsResponse = Infer<typeof describeLogDirsResponse>
