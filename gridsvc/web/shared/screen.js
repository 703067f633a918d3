// What every component is made of: templates, hooks and signals, from one place.
export { render } from "../vendor/preact.mjs";
export { html } from "../vendor/htm-preact.mjs";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.mjs";
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "../vendor/signals.mjs";
