// Drives a sandbox with the public Node client. Run as: node node_client.mjs http://127.0.0.1:8090
// in a folder where @mollie/api-client is installed. Prints the steps that worked, one a line.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const { createMollieClient } = require('@mollie/api-client');

const base = process.argv[2];
const amount = { currency: 'EUR', value: '25.00' };
const worked = (step) => console.log(step);

async function control(path, body = {}) {
  const answer = await fetch(`${base}/_sandbox/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

const mollie = createMollieClient({ apiKey: 'test_nodeclientnodeclientnodeclient', apiEndpoint: `${base}/v2/` });

const customer = await mollie.customers.create({ name: 'Jane', email: 'jane@example.com' });
assert.match(customer.id, /^cst_/);
const first = await mollie.payments.create({
  amount,
  description: 'First',
  customerId: customer.id,
  sequenceType: 'first',
  redirectUrl: 'https://shop.example.com/back',
  webhookUrl: 'http://127.0.0.1:9/hook',
  metadata: { order: 7 },
});
assert.equal(first.status, 'open');
assert.ok(first.getCheckoutUrl().startsWith(base));
worked('first payment');

const paid = await fetch(first.getCheckoutUrl(), {
  method: 'POST',
  redirect: 'manual',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: 'status=paid&method=ideal&issuer=ideal_INGBNL2A',
});
assert.equal(paid.status, 303);
assert.equal((await mollie.payments.get(first.id)).status, 'paid');
worked('checkout');

const mandates = await mollie.customerMandates.page({ customerId: customer.id });
assert.equal(mandates[0].status, 'valid');
worked('mandates');

const debit = await mollie.customerPayments.create({
  customerId: customer.id,
  amount,
  description: 'Next',
  sequenceType: 'recurring',
  mandateId: mandates[0].id,
});
assert.equal(debit.status, 'pending');
await control('clock', { advance_seconds: 7 * 86400 });
assert.equal((await mollie.payments.get(debit.id)).status, 'paid');
worked('recurring payment');

const refund = await mollie.paymentRefunds.create({ paymentId: debit.id, amount: { currency: 'EUR', value: '5.00' } });
assert.equal(refund.status, 'pending');
assert.equal((await mollie.paymentRefunds.page({ paymentId: debit.id })).length, 1);
worked('refunds');

const back = await control(`payments/${debit.id}/chargebacks`, { reason: 'MD06' });
const chargeback = await mollie.paymentChargebacks.get(back.id, { paymentId: debit.id });
assert.equal(chargeback.amount.value, '25.00');
worked('chargebacks');

// The chargeback ended the debit mandate, so the subscription stands on a card.
const second = await mollie.payments.create({
  amount,
  description: 'Card',
  customerId: customer.id,
  sequenceType: 'first',
  method: 'creditcard',
  redirectUrl: 'https://shop.example.com/back',
});
await control(`payments/${second.id}`, { status: 'paid' });
const subscription = await mollie.customerSubscriptions.create({
  customerId: customer.id,
  amount,
  interval: '1 month',
  startDate: '2099-01-01',
  description: 'Monthly',
});
assert.equal(subscription.status, 'active');
const canceled = await mollie.customerSubscriptions.cancel(subscription.id, { customerId: customer.id });
assert.equal(canceled.status, 'canceled');
worked('subscriptions');

const page = await mollie.payments.page({ limit: 1 });
const next = await page.nextPage();
assert.notEqual(page[0].id, next[0].id);
let count = 0;
for await (const payment of mollie.payments.iterate()) {
  assert.match(payment.id, /^tr_/);
  count += 1;
}
assert.equal(count, 3);
worked('paging');

const methods = await mollie.methods.list({ sequenceType: 'first' });
assert.ok(methods.some((method) => method.id === 'ideal'));
worked('methods');

await assert.rejects(mollie.payments.get('tr_doesnotexist'), (error) => error.statusCode === 404);
await assert.rejects(
  mollie.payments.create({ amount: { currency: 'EUR', value: '1' }, description: 'x', redirectUrl: 'https://a.example.com' }),
  (error) => error.statusCode === 422 && error.field === 'amount.value',
);
worked('error body');
worked('done');
