// The hash of what a request shows as its caller: keys of the cache hold no secret.
import crypto from 'crypto';

const SESSION = /(?:^|; )(social_assets_serve_[0-9]+=[0-9a-f]+)/;

function hash(r) {
    const session = SESSION.exec(r.headersIn['Cookie'] || '');
    const shown = (r.headersIn['Authorization'] || '') + '\n' + (session ? session[1] : '');
    return crypto.createHash('sha256').update(shown).digest('hex');
}

export default { hash };
