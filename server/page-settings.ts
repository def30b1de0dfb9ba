/** Settings of the page and of those who sign in to it. */
import Type from 'typebox';

export const pageSettings = {
  TLS_CERT: Type.Optional(
    Type.String({
      workedOut: 'none: HTTP',
      minLength: 1,
      description: 'PEM file of the certificate to speak HTTPS with; read again when it changes',
    }),
  ),
  TLS_KEY: Type.Optional(
    Type.String({ workedOut: 'none', minLength: 1, description: 'PEM file of its private key' }),
  ),
  SIGN_IN_LIFETIME_S: Type.Integer({
    default: 604_800,
    minimum: 60,
    maximum: 31_536_000,
    description: 'Seconds after which a browser that was not used has to sign in to the page again',
  }),
};
