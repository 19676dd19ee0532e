import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { didYouMean } from '../config/nearest.ts';
import { Problem } from './problems.ts';
import type { FieldError } from './problems.ts';

/** In a schema: what its field says of a value that does not fit, instead of what its pattern or bounds would. Not a part of OpenAPI. */
export const SAYS = Symbol('says');

interface SchemaNode {
  readonly [SAYS]?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
}

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Checks against the same schemas that the OpenAPI document is made of; what does not fit is a `Problem` that names the field. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const isBody = httpPart === 'body';
  return (given: unknown) => {
    if (isBody && given === null && hasRequired(schema)) {
      return { error: new Problem('body_required', `Send a JSON object with ${(schema as SchemaNode).required?.join(', ')}.`) };
    }
    const value = isBody ? (given ?? {}) : Value.Convert(schema, { ...(given as object) });
    if (check.Check(value)) return { value };
    const errors = fieldErrors(schema as SchemaNode, check.Errors(value) as readonly SchemaError[]);
    return { error: new Problem(isBody ? 'invalid_body' : 'invalid_query', sentence(errors), { errors }) };
  };
};

const hasRequired = (schema: TSchema): boolean => ((schema as SchemaNode).required ?? []).length > 0;

/** The first fault as the sentence of a problem. */
export function sentence(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return 'It does not fit the schema.';
  return first.path === '' ? `The body ${first.message}` : `${first.path}: ${first.message}`;
}

const MAX_ERRORS = 20;
// TypeBox stops at 8, and every unknown field counts twice.
Settings.Set({ maxErrors: 4 * MAX_ERRORS });

export function fieldErrors(schema: SchemaNode, errors: readonly SchemaError[]): FieldError[] {
  return likelier(errors)
    .flatMap((error) => explain(schema, error))
    .slice(0, MAX_ERRORS);
}

const UNION = '/anyOf/';

/** Of a choice only the branch that nearly fits is explained: the others would ask for fields that were never meant. */
function likelier(errors: readonly SchemaError[]): readonly SchemaError[] {
  const counts = new Map<string, Map<string, number>>();
  const told = errors.filter((error) => !asksForNull(error));
  for (const { schemaPath } of told) {
    const [union, branch] = branchOf(schemaPath);
    if (union === null) continue;
    const branches = counts.get(union) ?? new Map<string, number>();
    counts.set(union, branches.set(branch, (branches.get(branch) ?? 0) + 1));
  }
  return told.filter(({ schemaPath, keyword }) => {
    if (keyword === 'anyOf') return !counts.has(schemaPath);
    const [union, branch] = branchOf(schemaPath);
    if (union === null) return true;
    const [best] = [...counts.get(union)!].reduce((a, b) => (b[1] < a[1] ? b : a));
    return branch === best;
  });
}

/** Of a choice with null: who gave something else did not mean that. */
const asksForNull = ({ keyword, params, schemaPath }: SchemaError): boolean =>
  keyword === 'type' && params['type'] === 'null' && schemaPath.includes(UNION);

function branchOf(schemaPath: string): [string, string] | [null, null] {
  const at = schemaPath.indexOf(UNION);
  return at === -1 ? [null, null] : [schemaPath.slice(0, at), schemaPath.slice(at + UNION.length).split('/', 1)[0]!];
}

function explain(schema: SchemaNode, { keyword, instancePath, params, message }: SchemaError): FieldError[] {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  // Always beside an `additionalProperties` error that says more.
  if (keyword === 'boolean') return [];
  if (keyword === 'required') return names(params['requiredProperties']).map((name) => ({ path: below(name), message: 'is required.' }));
  if (keyword === 'additionalProperties') {
    const known = nodesAt(schema, instancePath).flatMap(({ properties }) => Object.keys(properties ?? {}));
    return names(params['additionalProperties']).map((name) => ({
      path: below(shown(name)),
      message: `is not known.${didYouMean(shown(name), known)}`,
    }));
  }
  return [{ path, message: saysAt(schema, instancePath) ?? inWords(keyword, params) ?? `${message}.` }];
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
};

/** What a keyword of JSON Schema asks for, as people say it; null where its own message has to do. */
function inWords(keyword: string, params: SchemaError['params']): string | null {
  const limit = Number(params['limit']);
  const many = limit === 1 ? '' : 's';
  if (keyword === 'type') return `must be ${TYPES[String(params['type'])] ?? String(params['type'])}.`;
  if (keyword === 'enum') return `must be one of ${names(params['allowedValues']).join(', ')}.`;
  if (keyword === 'minLength') return limit === 1 ? 'must not be empty.' : `must have at least ${limit} characters.`;
  if (keyword === 'maxLength') return `must have at most ${limit} character${many}.`;
  if (keyword === 'minItems') return `must have at least ${limit} item${many}.`;
  if (keyword === 'maxItems') return `must have at most ${limit} item${many}.`;
  if (keyword === 'minimum') return `must be at least ${limit}.`;
  if (keyword === 'maximum') return `must be at most ${limit}.`;
  return null;
}

const shown = (name: string): string => name.slice(0, 64);
const names = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** The schemas that a place is held to: more than one where there is a choice. */
function nodesAt(schema: SchemaNode, instancePath: string): readonly SchemaNode[] {
  let nodes = choices(schema);
  for (const part of instancePath.split('/').slice(1)) nodes = nodes.flatMap((node) => choices(node.properties?.[part] ?? node.items));
  return nodes;
}

const choices = (node: SchemaNode | undefined): readonly SchemaNode[] =>
  node === undefined ? [] : [node, ...(node.anyOf ?? []).flatMap(choices)];

const saysAt = (schema: SchemaNode, instancePath: string): string | undefined =>
  nodesAt(schema, instancePath).find((node) => node[SAYS] !== undefined)?.[SAYS];
