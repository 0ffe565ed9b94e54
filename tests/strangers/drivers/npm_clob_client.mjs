// npm @polymarket/clob-client-v2: the CLOB only, no catalogue of Gamma, no sockets.
import { ClobClient, OrderType, Side } from "@polymarket/clob-client-v2";
import { createWalletClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { KINDS, expect, finish, lacks, later, note, scene } from "./judge.mjs";

async function connect(who) {
  const account = privateKeyToAccount(who.key);
  const signer = createWalletClient({ account, transport: http(scene.urls.rpc) });
  const base = { host: scene.urls.clob, chain: scene.chain_id, signer };
  const creds = await new ClobClient(base).createOrDeriveApiKey();
  return new ClobClient({ ...base, creds, signatureType: who.signature_type, funderAddress: who.wallet });
}

// The client answers with {error, status} where others throw.
function accepted(response, status) {
  if (response?.error) throw new Error(typeof response.error === "string" ? response.error : response.error.error);
  if (response?.errorMsg) throw new Error(response.errorMsg);
  expect(response?.status === status, response);
  return response;
}

// The version of the exchange is the caller's to know.
const options = (place) => (place.token === scene.markets.v2.token ? { version: 3 } : undefined);
const limit = (client, place, size, expiration) =>
  client.createOrder(
    { tokenID: place.token, price: Number(place.low), size, side: Side.BUY, ...(expiration && { expiration }) },
    options(place),
  );
const market = (client, place, orderType) =>
  client.createMarketOrder(
    { tokenID: place.token, price: Number(place.worst), amount: 5, side: Side.BUY, orderType },
    options(place),
  );

lacks("stream");
const client = await note("credentials", () => connect(scene.account));
await note("list", async () => {
  const page = await client.getMarkets();
  expect(page.data?.length > 5, page);
});

for (const kind of KINDS) {
  const place = scene.markets[kind];
  const rest = async (type, size, expiration, postOnly) =>
    accepted(await client.postOrder(await limit(client, place, size, expiration), type, postOnly), "live");
  const take = async (type) => accepted(await client.postOrder(await market(client, place, type), type), "matched");
  await note(`GTC ${kind}`, () => rest(OrderType.GTC, 10));
  await note(`GTD ${kind}`, () => rest(OrderType.GTD, 10, later()));
  await note(`FOK ${kind}`, () => take(OrderType.FOK));
  await note(`FAK ${kind}`, () => take(OrderType.FAK));
  await note(`post-only ${kind}`, () => rest(OrderType.GTC, 13, undefined, true));
  await note(`batch ${kind}`, async () => {
    const orders = [];
    for (const size of [11, 12]) orders.push({ order: await limit(client, place, size), orderType: OrderType.GTC });
    const answers = await client.postOrders(orders);
    if (!Array.isArray(answers)) accepted(answers, "live");
    for (const answer of answers) accepted(answer, "live");
  });
}

const first = scene.markets.v1;
await note("trades", async () => {
  const trades = await client.getTrades();
  expect(trades.length > 0, "no trade");
});
await note("cancel", async () => {
  const placed = accepted(await client.postOrder(await limit(client, first, 14), OrderType.GTC), "live");
  const answer = await client.cancelOrder({ orderID: placed.orderID });
  expect(answer.canceled?.[0] === placed.orderID, answer);
});
await note("deposit wallet", async () => {
  const wallet = await connect(scene.deposit);
  accepted(await wallet.postOrder(await limit(wallet, first, 15), OrderType.GTC), "live");
  accepted(await wallet.postOrder(await market(wallet, first, OrderType.FAK), OrderType.FAK), "matched");
});
finish();
