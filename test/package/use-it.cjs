const library = require('seglog')
const { oneRecord } = require('./one-record.js')

oneRecord(library).then(() => console.log('one record, by require'))
