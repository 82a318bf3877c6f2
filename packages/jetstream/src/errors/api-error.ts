import { type ErrorName, type ErrorTemplate, JS_ERRORS } from './errors.generated.ts';

/** Values for the `{…}` slots of an error's description. */
export type ErrorSlots = Readonly<Record<string, string | number>>;

/**
 * A failure of a JetStream request as it goes over the wire: `{code, err_code, description}`.
 * Equivalent to ApiError in nats-server. Source: spec/js-errors.json.
 */
export class ApiError extends Error {
  /** HTTP-like status. */
  readonly code: number;
  /** The number clients compare. */
  readonly errCode: number;

  constructor(template: ErrorTemplate, slots?: ErrorSlots, options?: ErrorOptions) {
    super(fillSlots(template.description, slots), options);
    this.name = 'ApiError';
    this.code = template.code;
    this.errCode = template.errCode;
  }

  get description(): string {
    return this.message;
  }

  toJSON(): { code: number; err_code: number; description: string } {
    return { code: this.code, err_code: this.errCode, description: this.message };
  }
}

/** Builds the named error of the table, its slots filled in. */
export function apiError(name: ErrorName, slots?: ErrorSlots): ApiError {
  return new ApiError(JS_ERRORS[name], slots);
}

/**
 * What nats-ts refuses because a later release brings it: 10052 (500) for streams, 10012 (500) for consumers.
 * @param feature what the user asked for, with its field name, e.g. `stream compression "s2"`
 */
export function notSupportedYet(feature: string, asset: 'stream' | 'consumer' = 'stream'): ApiError {
  return apiError(asset === 'stream' ? 'StreamInvalidConfig' : 'ConsumerCreate', {
    err: `${feature} is not supported yet by nats-ts`,
  });
}

function fillSlots(description: string, slots: ErrorSlots | undefined): string {
  if (slots === undefined) return description;
  return description.replace(/\{(\w+)\}/g, (slot, name: string) => String(slots[name] ?? slot));
}
