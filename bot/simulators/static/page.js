"use strict";
// Asks for the state once a second and redraws what is new.
const $ = id => document.getElementById(id);
const FORMS = {
  stream: "回复", stream_with_template_card: "回复和卡片", markdown: "消息", template_card: "卡片", image: "图片", news: "图文",
};
let state = null, room = null, drawn = "", quote = "";

function make(tag, text, into, name) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (name) node.className = name;
  if (into) into.append(node);
  return node;
}

function button(text, into, pressed, act) {
  const node = make("button", text, into);
  node.type = "button";
  if (pressed !== null) node.setAttribute("aria-pressed", String(pressed));
  node.addEventListener("click", act);
  return node;
}

async function post(path, body) {
  const json = !(body instanceof FormData);
  const answer = await fetch(path, {
    method: "POST", body: json ? JSON.stringify(body) : body,
    headers: json ? {"Content-Type": "application/json"} : {},
  });
  $("problem").textContent = answer.ok ? (await answer.json()).problem || "" : "模拟器没有接受。";
  await look();
}

function user() { return $("say").elements.user.value; }

function setQuote(line) {
  quote = line ? line.id : "";
  $("quoted").hidden = !line;
  $("quoted").querySelector("span").textContent = line ? "引用：" + line.text.slice(0, 40) : "";
}

function drawLine(line) {
  const box = make("article", "", $("lines"), line.bot ? "bot" : "person");
  const head = make("h3", "", box);
  const to = line.user && line.bot ? "机器人 → " + (state.users[line.user] || line.user) : "机器人";
  make("span", line.bot ? to : state.users[line.user] || line.user, head);
  if (!["", "text"].includes(line.form)) make("span", FORMS[line.form] || line.form, head);
  button("引用", head, null, () => setQuote(line));
  const quoted = line.quote && state.lines.find(other => other.id === line.quote);
  if (quoted) make("blockquote", quoted.text.slice(0, 60) || "［照片］", box);
  if (line.mentions.length) make("p", line.mentions.map(who => "@" + (state.users[who] || who)).join(" "), box);
  make("pre", line.text.replace(/<@([^>]+)> ?/g, ""), box);
  for (const [title, about, url] of line.articles) make("pre", title + "\n" + about + "\n" + url, box);
  for (const source of line.photos) {
    const picture = make("img", "", box);
    picture.alt = "照片";
    picture.addEventListener("load", toEnd);
    picture.src = source;
  }
  if (line.buttons.length) {
    const row = make("div", "", box);
    for (const label of line.buttons)
      button(label, row, null, () => post("press", {place: line.place, button: label, user: user()}));
  }
}

function draw() {
  $("kind").textContent = "· " + state.title;
  const rooms = $("rooms");
  rooms.replaceChildren();
  for (const [id, name] of [...Object.entries(state.rooms), ["", "私聊（按“谁”）"]])
    button(name, rooms, id === room, () => { room = id; setQuote(null); draw(); });
  $("users").replaceChildren(...Object.entries(state.users).map(([id, name]) => {
    const option = document.createElement("option");
    option.value = id; option.label = name;
    return option;
  }));
  const faults = $("faults");
  faults.replaceChildren();
  for (const [name, label] of Object.entries(state.faults)) button(label, faults, null, () => post("fault", {name}));
  $("waiting").textContent = state.waiting.length ? "等着出：" + state.waiting.join("、") : "";
  $("lines").replaceChildren();
  state.lines.filter(line => line.room === room).forEach(drawLine);
  toEnd();
}

function toEnd() { $("lines").scrollTop = $("lines").scrollHeight; }

function countPhotos() {
  const count = $("say").elements.photos.files.length;
  $("chosen").textContent = count ? "已选 " + count + " 张" : "选照片";
}

async function look() {
  const text = await (await fetch("state")).text();
  if (text === drawn) return;
  drawn = text;
  state = JSON.parse(text);
  if (room === null) room = Object.keys(state.rooms)[0] || "";
  draw();
}

$("say").elements.photos.addEventListener("change", countPhotos);
$("unquote").addEventListener("click", () => setQuote(null));
$("say").addEventListener("submit", async event => {
  event.preventDefault();
  const form = new FormData(event.target);
  form.set("room", room); form.set("quote", quote);
  $("problem").textContent = "";
  event.target.elements.text.value = "";
  event.target.elements.photos.value = "";
  countPhotos();
  setQuote(null);
  await post("say", form);
});
$("say").elements.text.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("say").requestSubmit(); }
});
look().catch(() => {});
setInterval(() => look().catch(() => { $("problem").textContent = "模拟器已停。"; }), 1000);
