// The form by which one goes to a room, by its name.

import { byId, complain } from './elements.js';

export const ROOM_RULE = /^[A-Za-z0-9._-]{1,64}$/;

const [form, field, fault] = ['join', 'room', 'join-fault'].map(byId);

export class JoinForm {
  // `onJoin(room)` rejects with the server's refusal.
  constructor(onJoin) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const room = field.value.trim().replace(/^#/, '');
      if (!ROOM_RULE.test(room)) {
        complain(field, fault, 'A room’s name is 1 to 64 letters (A-Z, a-z), digits, and . _ -');
        return;
      }
      try {
        await onJoin(room);
        field.value = '';
        complain(field, fault, '');
      } catch (refused) {
        complain(field, fault, refused.message);
      }
    });
    field.addEventListener('input', () => complain(field, fault, ''));
  }
}
