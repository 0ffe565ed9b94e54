// npm @polymarket/client, the unified client: catalogue, CLOB and sockets.
import { createPublicClient, createSecureClient, forkEnvironmentConfig } from "@polymarket/client";
import { privateKey } from "@polymarket/client/viem";
import { KINDS, expect, finish, later, note, scene, within } from "./judge.mjs";

const nowhere = `${scene.urls.sandbox}/unserved`;
const deaf = nowhere.replace("http", "ws");
const environment = forkEnvironmentConfig({
  name: "sandbox",
  rpc: scene.urls.rpc,
  clob: { rest: scene.urls.clob, market: { ws: scene.urls.market_ws }, user: { ws: scene.urls.user_ws } },
  relayer: { rest: scene.urls.relayer },
  gamma: { rest: scene.urls.gamma },
  data: { rest: scene.urls.data },
  combos: { rest: nowhere, ws: deaf, collateralReturn: { rest: nowhere } },
  perps: { rest: nowhere, ws: deaf },
  rtds: { ws: deaf },
  sports: { ws: deaf },
});
const connect = (who) => createSecureClient({ environment, signer: privateKey(who.key), wallet: who.wallet });

function accepted(response, status) {
  if (response?.ok === false && response.message) throw new Error(response.message);
  expect(response?.status === status, response);
  return response;
}

const limit = (client, place, size, more = {}) =>
  client.createLimitOrder({ tokenId: place.token, price: place.low, size, side: "BUY", ...more });
const market = (client, place, orderType) =>
  client.createMarketOrder({ tokenId: place.token, amount: 5, maxPrice: place.worst, side: "BUY", orderType });

await note("list", async () => {
  for await (const page of createPublicClient({ environment }).listMarkets({ pageSize: 5 })) {
    expect(page.items.length === 5, "few");
    break;
  }
});
const client = await note("credentials", () => connect(scene.account));
const first = scene.markets.v1;
await note("stream", async () => {
  const books = await client.subscribe([{ topic: "market", tokenIds: [first.token] }]);
  const mine = await client.subscribe([{ topic: "user" }]);
  const next = (handle) => handle[Symbol.asyncIterator]().next();
  const book = await within(next(books), 10_000);
  expect(book.value?.type === "book", book.value);
  const event = next(mine);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    // the subscription of the user's socket is not acknowledged
    accepted(await client.postOrder(await limit(client, first, 20 + attempt)), "live");
    const told = await within(event, 1_000).catch(() => undefined);
    if (told) {
      expect(told.value?.type === "order", told.value);
      break;
    }
  }
  const change = await within(next(books), 10_000);
  expect(change.value?.type === "price_change", change.value);
});

for (const kind of KINDS) {
  const place = scene.markets[kind];
  const rest = async (size, more) => accepted(await client.postOrder(await limit(client, place, size, more)), "live");
  const take = async (type) => accepted(await client.postOrder(await market(client, place, type)), "matched");
  await note(`GTC ${kind}`, () => rest(10));
  await note(`GTD ${kind}`, () => rest(10, { expiration: later() }));
  await note(`FOK ${kind}`, () => take("FOK"));
  await note(`FAK ${kind}`, () => take("FAK"));
  await note(`post-only ${kind}`, () => rest(13, { postOnly: true }));
  await note(`batch ${kind}`, async () => {
    const orders = [await limit(client, place, 11), await limit(client, place, 12)];
    for (const answer of await client.postOrders(orders)) accepted(answer, "live");
  });
}

await note("trades", async () => {
  for await (const page of client.listAccountTrades()) {
    expect(page.items.length > 0, "no trade");
    break;
  }
});
await note("cancel", async () => {
  const placed = accepted(await client.postOrder(await limit(client, first, 14)), "live");
  const answer = await client.cancelOrder({ orderId: placed.orderId });
  expect(answer.canceled?.[0] === placed.orderId, answer);
});
await note("deposit wallet", async () => {
  const wallet = await connect(scene.deposit);
  accepted(await wallet.postOrder(await limit(wallet, first, 15)), "live");
  accepted(await wallet.postOrder(await market(wallet, first, "FAK")), "matched");
});
finish();
