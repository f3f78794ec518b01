"use strict";

// Swagger UI 4 has no translations; its fixed words are few.
const WORDS = {
  "Authorize": "授权",
  "Authorized": "已授权",
  "Available authorizations": "可用的授权方式",
  "Cancel": "取消",
  "Clear": "清除",
  "Close": "关闭",
  "Code": "状态码",
  "Curl": "命令行",
  "Description": "说明",
  "Details": "详情",
  "Download": "下载",
  "Example Value": "示例",
  "Execute": "发送",
  "Links": "链接",
  "Loading...": "加载中…",
  "Logout": "退出",
  "Media type": "内容类型",
  "Name": "名称",
  "No links": "无",
  "No parameters": "无参数",
  "Parameters": "参数",
  "Request URL": "请求地址",
  "Request body": "请求体",
  "Reset": "重置",
  "Response body": "答复内容",
  "Response headers": "答复头",
  "Responses": "答复",
  "Schema": "结构",
  "Schemas": "数据结构",
  "Server response": "服务器答复",
  "Servers": "服务器",
  "Try it out": "试一试",
  "required": "必填",
};

function translate(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const word = WORDS[text.data.trim()];
    if (word) text.data = word;
  }
}

new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) translate(node);
    if (change.type === "characterData") translate(change.target.parentNode ?? change.target);
  }
}).observe(document.getElementById("swagger-ui"), {
  childList: true,
  characterData: true,
  subtree: true,
});

window.ui = SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});
