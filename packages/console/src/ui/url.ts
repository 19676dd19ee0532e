/** Host and path, for a line in a list. */
export const shortUrl = (text: string): string => text.replace(/^https?:\/\//, '').replace(/\/$/, '');
