/** Settings of the page and of those who sign in to it. */
import Type from 'typebox';

export const pageSettings = {
  SIGN_IN_LIFETIME_S: Type.Integer({
    default: 604_800,
    minimum: 60,
    maximum: 31_536_000,
    description: 'Seconds after which a browser that was not used has to sign in to the page again',
  }),
};
