import { array, bool, float64, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** 1 differs by its encoding only. */
export const describeClientQuotasRequest = message({
  name: 'DescribeClientQuotasRequest',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    components: array(
      struct({
        entityType: string(),
        /** 0 exactly `match`, 1 the default entity, 2 any. */
        matchType: int8(),
        match: string({ nullable: '0+' }),
      }),
    ),
    strict: bool(),
  },
})
export type DescribeClientQuotasRequest = Infer<typeof describeClientQuotasRequest>

export const describeClientQuotasResponse = message({
  name: 'DescribeClientQuotasResponse',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    entries: array(
      struct({
        entity: array(
          struct({
            entityType: string(),
            entityName: string({ nullable: '0+' }),
          }),
        ),
        values: array(
          struct({
            key: string(),
            value: float64(),
          }),
        ),
      }),
      { nullable: '0+' },
    ),
  },
})
export type DescribeClientQuotasResponse = Infer<typeof describeClientQuotasResponse>
