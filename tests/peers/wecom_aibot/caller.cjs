// @wecom/crypto as the platform: seals a message for the bot at argv[2], opens and verifies what the bot answers.
const { getSignature, encrypt, decrypt } = require("@wecom/crypto");
const [url, token, aesKey, body] = process.argv.slice(2);
(async () => {
  const sealed = encrypt(aesKey, body, "");
  const timestamp = String(Math.floor(Date.now() / 1000)), nonce = "n" + Math.floor(Math.random() * 1e9);
  const query = new URLSearchParams({ msg_signature: getSignature(token, timestamp, nonce, sealed), timestamp, nonce });
  const answer = await fetch(`${url}?${query}`, { method: "POST", body: JSON.stringify({ encrypt: sealed }) });
  const text = await answer.text();
  if (!text || answer.status !== 200) return console.log(JSON.stringify({ status: answer.status, text }));
  const said = JSON.parse(text);
  const good = getSignature(token, said.timestamp, said.nonce, said.encrypt) === said.msgsignature;
  const { message, id } = decrypt(aesKey, said.encrypt);
  console.log(JSON.stringify({ status: answer.status, good, id, message: JSON.parse(message) }));
})();
