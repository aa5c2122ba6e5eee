/** The rules of a user's fields, as the handler gives them to the service. */
import type { FieldCheck } from '../../src/shared/domain/field-check.ts';
import { userStored } from '../../src/shared/generated/validators.js';
import { validate } from '../../src/shared/validation/validate.ts';

export const checkUser: FieldCheck = (fields) => validate(userStored, fields);
