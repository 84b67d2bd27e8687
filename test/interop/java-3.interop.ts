import { javaClient } from './clients/java.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

clientSuite(javaClient(3), (bench) => {
  recordTests(bench)
  groupTests(bench, { assignors: ['range', 'cooperative'], statics: 'closed or killed' })
})
