/** A media thread that dies as soon as it is born. */
throw new Error('born to die');
