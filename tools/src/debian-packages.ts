import type { Platform } from "./platform.ts";

/** A package file of a Debian archive, pinned by content. */
export interface DebianPackage {
  /** Below the archive's root. */
  readonly path: string;
  readonly sha256: string;
}

/** Shared libraries that Node needs and the server's image lacks, by the file name that the loader asks for. */
export const runtimeLibraries: Readonly<Record<Platform, Readonly<Record<string, DebianPackage>>>> = {
  // Of Debian 11: the newest that still loads under the C library 2.31, so under every server image since Velero 1.12.
  "linux-x64": {
    "libstdc++.so.6": {
      path: "pool/main/g/gcc-10/libstdc++6_10.2.1-6_amd64.deb",
      sha256: "5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1",
    },
    "libgcc_s.so.1": {
      path: "pool/main/g/gcc-10/libgcc-s1_10.2.1-6_amd64.deb",
      sha256: "e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf",
    },
    "libatomic.so.1": {
      path: "pool/main/g/gcc-10/libatomic1_10.2.1-6_amd64.deb",
      sha256: "e8f1d04653698ab185c1144f35f905a1de87571c12ea630b65be669a2823d8c7",
    },
  },
  "linux-arm64": {
    "libstdc++.so.6": {
      path: "pool/main/g/gcc-10/libstdc++6_10.2.1-6_arm64.deb",
      sha256: "7869aa540cc46e9f3d4267d5bde2af0e5b429a820c1d6f1a4cfccfe788c31890",
    },
    "libgcc_s.so.1": {
      path: "pool/main/g/gcc-10/libgcc-s1_10.2.1-6_arm64.deb",
      sha256: "e2fcdb378d3c1ad1bcb64d4fb6b37aab44011152beca12a4944f435a2582df1f",
    },
    "libatomic.so.1": {
      path: "pool/main/g/gcc-10/libatomic1_10.2.1-6_arm64.deb",
      sha256: "d0b8a02896479a6eac49019d71142da9561482759f40eb7aeb15cfdc7d3e39ec",
    },
  },
};

/** Programs that an executable starts, by the executable's name: the file in the package that pins each. */
export const shippedPrograms: Readonly<
  Record<string, Readonly<Record<Platform, DebianPackage & { readonly file: string }>>>
> = {
  "flotilla-plugin-restic": {
    // Of Debian 12: it needs no library but the C library, in a version that the server's image has.
    "linux-x64": {
      path: "pool/main/r/restic/restic_0.14.0-1+b5_amd64.deb",
      sha256: "9d7e8c210736f3f15ed7cf425ab56aa5259b07d8422b958494bfd4359b5024d1",
      file: "usr/bin/restic",
    },
    "linux-arm64": {
      path: "pool/main/r/restic/restic_0.14.0-1+b5_arm64.deb",
      sha256: "d0fb9c3b51aef8e58fbb185f2455d038424ba9e301c219d00e46f2a6a1effcfd",
      file: "usr/bin/restic",
    },
  },
};

/** The package that holds the copyright of the runtime libraries, which theirs only point to. */
export const runtimeLibraryCopyright: Readonly<Record<Platform, DebianPackage>> = {
  "linux-x64": {
    path: "pool/main/g/gcc-10/gcc-10-base_10.2.1-6_amd64.deb",
    sha256: "be65535e94f95fbf04b104e8ab36790476f063374430f7dfc6c516cbe2d2cd1e",
  },
  "linux-arm64": {
    path: "pool/main/g/gcc-10/gcc-10-base_10.2.1-6_arm64.deb",
    sha256: "7d782bece7b4a36bed045a7e17d17244cb8f7e4732466091b01412ebf215defb",
  },
};

const authorities: DebianPackage = {
  path: "pool/updates/main/c/ca-certificates/ca-certificates_20250419~deb12u2_all.deb",
  sha256: "b9f76b5271a7ac373fd5e7e1b5b826a71ddd702b42a0d104955ecb1acfffc94b",
};

/** What lies below the executable in an image of ours, of Debian 12, by the package's name. */
export const basePackages: Readonly<Record<Platform, Readonly<Record<"libc6" | "ca-certificates", DebianPackage>>>> = {
  "linux-x64": {
    libc6: {
      path: "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
      sha256: "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
    },
    "ca-certificates": authorities,
  },
  "linux-arm64": {
    libc6: {
      path: "pool/main/g/glibc/libc6_2.36-9+deb12u14_arm64.deb",
      sha256: "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
    },
    "ca-certificates": authorities,
  },
};

/** Texts of licences that other packages' copyrights only point to; they are the same for every platform. */
export const licenceTextsPackage: DebianPackage = {
  path: "pool/main/b/base-files/base-files_11.1+deb11u11_amd64.deb",
  sha256: "a7cc59f25ad7f3b87c000f33baf12678592be2c62776d03cf8f0f935f846acdc",
};

const anyArchitecture: readonly DebianPackage[] = [
  {
    path: "pool/main/c/ca-certificates/ca-certificates_20210119_all.deb",
    sha256: "b2d488ad4d8d8adb3ba319fc9cb2cf9909fc42cb82ad239a26c570a2e749c389",
  },
  {
    path: "pool/main/n/netbase/netbase_6.3_all.deb",
    sha256: "f444889ad3441758e3a5092418e062da2b0c6a811fdb0c262a6b70cb2518dbde",
  },
  {
    path: "pool/main/t/tzdata/tzdata_2024a-0+deb11u1_all.deb",
    sha256: "13befffb7ee127f569af92d736e30c86c199bbd58f9c3cca0d071ed63e04d003",
  },
];

/** What the server's image is made of, and nothing else, in the versions of Debian 11. */
export const imagePackages: Readonly<Record<Platform, readonly DebianPackage[]>> = {
  "linux-x64": [
    ...anyArchitecture,
    licenceTextsPackage,
    {
      path: "pool/main/g/glibc/libc6_2.31-13+deb11u11_amd64.deb",
      sha256: "05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282",
    },
    {
      path: "pool/main/o/openssl/openssl_1.1.1w-0+deb11u1_amd64.deb",
      sha256: "04873d74cbe86bad3a9901f6e57f1150040eba9891b443c5c975a72a97238e35",
    },
    {
      path: "pool/main/o/openssl/libssl1.1_1.1.1w-0+deb11u1_amd64.deb",
      sha256: "aadf8b4b197335645b230c2839b4517aa444fd2e8f434e5438c48a18857988f7",
    },
    {
      path: "pool/main/z/zlib/zlib1g_1.2.11.dfsg-2+deb11u2_amd64.deb",
      sha256: "03d2ab2174af76df6f517b854b77460fbdafc3dac0dca979317da67538159a3e",
    },
  ],
  "linux-arm64": [
    ...anyArchitecture,
    {
      path: "pool/main/b/base-files/base-files_11.1+deb11u11_arm64.deb",
      sha256: "439b80966a0de3946c69981723318c5729d34724e9bf64793b8b8f8237b8fca3",
    },
    {
      path: "pool/main/g/glibc/libc6_2.31-13+deb11u11_arm64.deb",
      sha256: "baaa9aa184e2f21738c5819055e6740cc5b22f198e3f416e33f82b40ff6933d8",
    },
    {
      path: "pool/main/o/openssl/openssl_1.1.1w-0+deb11u1_arm64.deb",
      sha256: "d9159af073e95641e7eda440fa1d7623873b8c0034c9826a353f890bed107f3c",
    },
    {
      path: "pool/main/o/openssl/libssl1.1_1.1.1w-0+deb11u1_arm64.deb",
      sha256: "fe7a7d313c87e46e62e614a07137e4a476a79fc9e5aab7b23e8235211280fee3",
    },
    {
      path: "pool/main/z/zlib/zlib1g_1.2.11.dfsg-2+deb11u2_arm64.deb",
      sha256: "e3963985d1a020d67ffd4180e6f9c4b5c600b515f0c9d8fda513d7a0e48e63a1",
    },
  ],
};
