import { stringifyJson, toJson } from '@paybell/sdk';
import type { FastifySerializerCompiler } from 'fastify';

/** Answers are written so that a number in an event's data keeps its text. Schemas describe answers; they do not filter them. */
export const serializerCompiler: FastifySerializerCompiler<unknown> = () => (payload) => stringifyJson(toJson(payload));
