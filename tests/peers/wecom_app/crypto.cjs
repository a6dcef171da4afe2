// @wecom/crypto plays WeCom: `seal` and `open` lines of JSON on stdin, answered one line each.
const { getSignature, decrypt, encrypt } = require("@wecom/crypto");
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const asked = JSON.parse(line);
  const { token, key, id, stamp, nonce } = asked;
  const sealed = asked.open === undefined ? encrypt(key, asked.seal, id) : asked.open;
  const answer = { encrypt: sealed, signature: getSignature(token, stamp, nonce, sealed) };
  if (asked.open !== undefined) {
    const found = decrypt(key, sealed);
    answer.message = found.message;
    answer.id = found.id;
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
