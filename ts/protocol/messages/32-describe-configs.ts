import { array, bool, each, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** What a config belongs to. */
export const configResourceType = {
  unknown: 0,
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const

/** Where a config's value comes from. */
export const configSource = {
  unknown: 0,
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  group: 8,
} as const

export const configType = {
  unknown: 0,
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const

export const describeConfigsRequest = message({
  name: 'DescribeConfigsRequest',
  apiKey: 32,
  versions: '1-4',
  flexible: '4+',
  fields: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        /** Null: all of them. */
        configurationKeys: array(each.string, { nullable: '0+' }),
      }),
    ),
    includeSynonyms: bool({ versions: '1+' }),
    includeDocumentation: bool({ versions: '3+' }),
  },
})
export type DescribeConfigsRequest = Infer<typeof describeConfigsRequest>

export const describeConfigsResponse = message({
  name: 'DescribeConfigsResponse',
  apiKey: 32,
  versions: '1-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullable: '0+' }),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: '0+' }),
            readOnly: bool(),
            configSource: int8({ versions: '1+', default: -1, ignorable: true }),
            isSensitive: bool(),
            synonyms: array(
              struct({
                name: string({ versions: '1+' }),
                value: string({ versions: '1+', nullable: '0+' }),
                source: int8({ versions: '1+' }),
              }),
              { versions: '1+', ignorable: true },
            ),
            configType: int8({ versions: '3+', ignorable: true }),
            documentation: string({ versions: '3+', nullable: '0+', ignorable: true }),
          }),
        ),
      }),
    ),
  },
})
export type DescribeConfigsResponse = Infer<typeof describeConfigsResponse>
export type DescribedConfig = DescribeConfigsResponse['results'][number]['configs'][number]
