const { connect, isIvcapError } = require('@ivcap/client')

const refuse = async (url) => {
  const error = await connect({ url }).catch((error) => error)
  if (!isIvcapError(error, 'unsupported')) throw error
  console.log(error.message)
}

Promise.all(['memory:', 's3://bucket/prefix', 'gs://bucket/prefix'].map(refuse))
