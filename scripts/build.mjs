import { build, setUp } from './toolchain.mjs';

build(setUp());
