export async function measurePainted(_options: { readonly seconds: number }): Promise<readonly number[]> {
  return [];
}
