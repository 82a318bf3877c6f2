import { type JsConsumeSpec, jsConsume } from './scenarios/js-consume.ts';
import { type JsPublishSpec, jsPublish } from './scenarios/js-publish.ts';
import { type PubSubSpec, pubsub } from './scenarios/pubsub.ts';
import { type RequestSpec, request } from './scenarios/request.ts';

/** What the generator is told to do. */
export type ScenarioSpec = PubSubSpec | RequestSpec | JsPublishSpec | JsConsumeSpec;

/** What it measured. */
export interface ScenarioResult {
  seconds: number;
  messages: number;
  delivered: number;
  /** Round-trip percentiles, microseconds, where one message is in flight. */
  p50Us?: number;
  p99Us?: number;
  /** Processor time of the generator, seconds. */
  generatorCpuSeconds?: number;
}

export function runScenario(spec: ScenarioSpec): Promise<ScenarioResult> {
  switch (spec.kind) {
    case 'pubsub':
      return pubsub(spec);
    case 'request':
      return request(spec);
    case 'js-publish':
      return jsPublish(spec);
    case 'js-consume':
      return jsConsume(spec);
  }
}
