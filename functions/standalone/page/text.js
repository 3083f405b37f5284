// Every word that the page shows, in both languages, and which of the two is chosen.

const WORDS = {
  en: {
    other: "中文",
    bots: "Bots",
    demo: "demo",
    real: "real",
    copy: "Copy the webhook URL of {bot}",
    copyShort: "Copy",
    copied: "Copied",
    place: "Where you write",
    direct: "Direct",
    group: "Group",
    name: "Your name",
    nameDefault: "Ann",
    mention: "Mention the bot",
    endpoints: "Models",
    local: "local",
    cloud: "cloud",
    strategy: "Route: {strategy}",
    echo: "No model is connected.",
    echoMend:
      "Start a model server on port 8000 (vLLM), 11434 (Ollama), 8080 (llama.cpp) or 1234 (LM Studio), and it is found within seconds; or name an endpoint in magpie.toml and start Magpie again. Until then, demo bots only repeat what you write, and other bots answer that no model is connected.",
    conversation: "Conversation",
    write: "Your message",
    writeTo: "Write to {bot}",
    writeElsewhere: "{bot} is written to in its own app",
    send: "Send",
    hint: "Enter sends · Shift+Enter for a new line · ? for shortcuts",
    emptyTitle: "Say something to {bot}",
    emptyText:
      "Your message takes the real path: a signed webhook request, the queue, a worker, a model, and the platform’s API on the way back.",
    realTitle: "{bot} is a real bot",
    realText: "Write to it in its own app. Give the platform this URL, and what happens shows here:",
    chips: ["Hello, what can you do?", "/help", "/new"],
    waiting: "The bot is answering",
    sending: "sending",
    waitingState: "on its way",
    answered: "answered",
    done: "answered",
    silent: "no answer",
    ignored: "ignored: {why}",
    parked: "parked: {why}",
    failed0: "not sent: the server is gone",
    failed404: "not sent: there is no such bot",
    failed409: "not sent: only demo bots can be written to from here",
    failed: "not sent: status {status}",
    refused: "the webhook answered {status}",
    again: "Try again",
    showWay: "Show the way of this message",
    spoken: "{bot}: {text}",
    gone: "Magpie does not answer. Start it again with cargo run; this page reconnects by itself.",
    live: "connected",
    connecting: "connecting",
    way: "The way of a message",
    wayEmpty: "Each message shows its stations here, with times.",
    elsewhere: "From outside this page",
    total: "in all",
    underway: "so far",
    tokens: "tokens in → out",
    tokensEstimated: "tokens in → out, estimated",
    endpoint: "endpoint",
    steps: {
      verified: "Signature verified",
      rejected: "Rejected",
      ignored: "Ignored",
      queued: "Queued",
      claimed: "Taken by a worker",
      model: { attempt: "Endpoint asked" },
      webhook: { url_verified: "Webhook address verified", unknown_bot: "No such bot" },
      answered: "Answered",
      sent: "Sent to the platform",
      ended: "Done",
      parked: "Parked",
      returned: "Back to the queue for another try",
      not_queued: "Not accepted by the queue",
    },
    detail: {
      asked: "Asked {endpoint}",
      answered: "{endpoint} answered",
      part: "Sent {segment} of {of}",
      try: "try {fence}",
      notice: "Notice written",
      apology: "Apology written",
      reset: "Conversation begun anew",
      merged: "Left to the next answer",
    },
    shortcuts: "Keyboard shortcuts",
    close: "Close",
    keys: [
      ["Enter", "send"],
      ["Shift+Enter", "new line"],
      ["↑ ↓", "earlier messages, when the box is empty"],
      ["Alt+1 … 9", "choose a bot"],
      ["Alt+G", "direct chat or group"],
      ["?", "this help, when the box is empty"],
      ["Esc", "close"],
    ],
    platforms: { feishu: "Feishu", lark: "Lark", dingtalk: "DingTalk", wecom: "WeCom" },
    reasons: { server: "server error", auth: "key refused", empty: "empty answer" },
  },
  zh: {
    other: "English",
    bots: "机器人",
    demo: "演示",
    real: "真实",
    copy: "复制 {bot} 的 Webhook 地址",
    copyShort: "复制",
    copied: "已复制",
    place: "在哪里发言",
    direct: "单聊",
    group: "群聊",
    name: "你的名字",
    nameDefault: "小安",
    mention: "@ 机器人",
    endpoints: "模型",
    local: "本地",
    cloud: "云端",
    strategy: "路由策略：{strategy}",
    echo: "尚未连接模型。",
    echoMend:
      "请在 8000（vLLM）、11434（Ollama）、8080（llama.cpp）或 1234（LM Studio）端口启动模型服务，几秒内会自动发现；或在 magpie.toml 中配置端点后重新启动 Magpie。在此之前，演示机器人只会重复你写的内容，其他机器人会回复尚未连接模型。",
    conversation: "对话",
    write: "你的消息",
    writeTo: "发消息给 {bot}",
    writeElsewhere: "请在 {bot} 所在的应用里发消息",
    send: "发送",
    hint: "Enter 发送 · Shift+Enter 换行 · ? 查看快捷键",
    emptyTitle: "和 {bot} 说点什么",
    emptyText: "你的消息走的是真实路径：带签名的 Webhook 请求、队列、工作进程、模型，再经平台接口返回。",
    realTitle: "{bot} 是真实的机器人",
    realText: "请在它所在的应用里发消息。把下面的地址填到平台后台，经过会显示在这里：",
    chips: ["你好，你能做什么？", "/help", "/new"],
    waiting: "机器人正在回答",
    sending: "发送中",
    waitingState: "处理中",
    answered: "已回答",
    done: "已回答",
    silent: "没有回答",
    ignored: "已忽略：{why}",
    parked: "已搁置：{why}",
    failed0: "未发送：服务已断开",
    failed404: "未发送：没有这个机器人",
    failed409: "未发送：这里只能给演示机器人发消息",
    failed: "未发送：状态码 {status}",
    refused: "Webhook 返回 {status}",
    again: "重试",
    showWay: "查看这条消息的经过",
    spoken: "{bot}：{text}",
    gone: "Magpie 没有响应。请用 cargo run 重新启动，本页会自动重连。",
    live: "已连接",
    connecting: "连接中",
    way: "消息的经过",
    wayEmpty: "每条消息经过的各站和用时会显示在这里。",
    elsewhere: "来自本页之外",
    total: "总用时",
    underway: "已用时",
    tokens: "词元 输入 → 输出",
    tokensEstimated: "词元 输入 → 输出（估算）",
    endpoint: "端点",
    steps: {
      verified: "签名已验证",
      rejected: "已拒绝",
      ignored: "已忽略",
      queued: "已入队",
      claimed: "工作进程已领取",
      model: { attempt: "已询问端点" },
      webhook: { url_verified: "回调地址已验证", unknown_bot: "没有这个机器人" },
      answered: "已回答",
      sent: "已发送到平台",
      ended: "完成",
      parked: "已搁置",
      returned: "回到队列，等待重试",
      not_queued: "队列没有接收",
    },
    detail: {
      asked: "询问 {endpoint}",
      answered: "{endpoint} 已回答",
      part: "已发送 {segment} / {of}",
      try: "第 {fence} 次",
      notice: "已写出提示",
      apology: "已写出致歉",
      reset: "已开始新会话",
      merged: "与下一条一起回答",
    },
    shortcuts: "键盘快捷键",
    close: "关闭",
    keys: [
      ["Enter", "发送"],
      ["Shift+Enter", "换行"],
      ["↑ ↓", "输入框为空时，翻看之前的消息"],
      ["Alt+1 … 9", "选择机器人"],
      ["Alt+G", "单聊或群聊"],
      ["?", "输入框为空时，显示本帮助"],
      ["Esc", "关闭"],
    ],
    platforms: { feishu: "飞书", lark: "Lark", dingtalk: "钉钉", wecom: "企业微信" },
    reasons: {
      local_first: "本地优先",
      cloud_first: "云端优先",
      local_only: "仅本地",
      cloud_only: "仅云端",
      round_robin: "轮流",
      weighted: "按权重",
      least_latency: "最快优先",
      cheapest: "最便宜优先",
      affinity: "会话固定",
      answered: "成功",
      outrun: "另一个更快",
      unreachable: "无法连接",
      slow_first_token: "迟迟没有开始",
      stalled: "中途没了动静",
      timeout: "超时",
      broken: "连接中断",
      rate_limited: "请求过多",
      server: "服务出错",
      auth: "密钥被拒绝",
      bad_request: "请求被拒绝",
      context_too_long: "对话过长",
      content_filtered: "内容策略拒绝",
      empty: "回答为空",
      malformed: "回答无法读取",
      too_large: "回答过大",
      no_answer: "没有端点能回答",
      send_refused: "平台拒收",
      send_uncertain: "不确定是否送达",
      tries_exhausted: "重试次数用尽",
      "group message without a mention": "群消息没有 @ 机器人",
      "a group message that does not mention the bot": "群消息没有 @ 机器人",
    },
  },
};

const KEPT = "magpie.language";

let chosen = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(chosen in WORDS)) chosen = "en";

export const language = () => chosen;

/** Goes over to the other language and remembers it. */
export function turnLanguage() {
  chosen = chosen === "zh" ? "en" : "zh";
  localStorage.setItem(KEPT, chosen);
}

/** The text at `key` (`steps.sent` looks inside a group), its `{name}`s filled in; undefined when there is none. */
export function t(key, values = {}) {
  const found = key.split(".").reduce((words, part) => words?.[part], WORDS[chosen]);
  if (typeof found !== "string") return found;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A reason or outcome as the server names it (`no_answer`), in words. */
export const reason = (word) => t(`reasons.${word}`) ?? String(word ?? "").replaceAll("_", " ");

/** Milliseconds as people read them. */
export function duration(ms) {
  if (ms > 0 && ms < 1) return `${Math.round(ms * 1000)}\u00a0µs`;
  return ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}\u00a0s`;
}

/** Writes the fixed texts of the document: `data-t` names an element's text, `data-t-label` its accessible label. */
export function translate() {
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button")) element.title = t(element.dataset.tLabel);
  }
}
