const { connect, isIvcapError } = require('@ivcap/client')

connect({ url: 'memory:' }).catch((error) => {
  if (!isIvcapError(error, 'unsupported')) throw error
  console.log(error.message)
})
