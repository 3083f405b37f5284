// A webhook handler with Feishu's official SDK for Node: verifies, decrypts, dispatches and acknowledges.
//
// It keeps nothing: an event that is acknowledged and not yet handled is lost when the process ends.
'use strict';

const cluster = require('node:cluster');
const { parseArgs } = require('node:util');
const express = require('express');
const lark = require('@larksuiteoapi/node-sdk');

const { values } = parseArgs({ options: { port: { type: 'string' }, processes: { type: 'string', default: '1' } } });

// Reads what a bot needs to answer.
async function onMessage(event) {
  const { text } = JSON.parse(event.message.content);
  return { msg: 'success', of: [text, event.message.chat_id, event.sender.sender_id.open_id].length };
}

function serve() {
  const keys = JSON.parse(process.env.LOAD_KEYS);
  const dispatcher = new lark.EventDispatcher({
    encryptKey: keys.encrypt_key,
    verificationToken: keys.verification_token,
    loggerLevel: lark.LoggerLevel.error,
  }).register({ 'im.message.receive_v1': onMessage });
  const server = express();
  server.use(express.json());
  server.post('/webhook/feishu/load', async (request, response) => {
    // As the SDK's adapter for express does it, which however acknowledges a forged event with 200 and an empty body.
    const data = Object.assign(Object.create({ headers: request.headers }), request.body);
    const answer = await dispatcher.invoke(data);
    if (answer === undefined) {
      response.status(401).end();
    } else {
      response.json(answer);
    }
  });
  server.listen(Number(values.port), '127.0.0.1', 1024);
}

// The workers of a cluster end when they lose their first process.
const processes = Number(values.processes);
if (processes > 1 && cluster.isPrimary) {
  for (let started = 0; started < processes; started += 1) cluster.fork();
} else {
  serve();
}
