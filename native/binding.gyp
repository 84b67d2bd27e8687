# node-gyp's view of the addon. It stands here and not at the root: npm invents an install script for a package with a
# binding.gyp at its root, and this one ships, so that `seglog build-native` can compile on demand.
{
  'targets': [{
    'target_name': 'seglog',
    'sources': ['<!@(node -p "require(\'fs\').readFileSync(\'sources.txt\',\'utf8\').trim()")'],
    'include_dirs': ['core'],
    'defines': [
      'NAPI_VERSION=9',
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ],
    'cflags!': ['-O2', '-O3'],
    'cflags_cc!': ['-std=gnu++14', '-std=gnu++17', '-std=gnu++20', '-fexceptions'],
    'cflags_cc': ['-std=c++20', '-O3', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'conditions': [
      ['OS=="linux"', { 'ldflags': ['-Wl,-z,nodelete'] }],
      ['OS=="mac"', {
        'xcode_settings': {
          'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
          'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
          'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          'MACOSX_DEPLOYMENT_TARGET': '13.0',
        },
      }],
    ],
  }],
}
