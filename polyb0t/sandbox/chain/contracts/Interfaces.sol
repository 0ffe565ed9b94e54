// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

interface IToken {
    function mint(address to, uint256 value) external;
    function burn(address from, uint256 value) external;
    function approve(address spender, uint256 value) external returns (bool);
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

interface IConditionalTokens {
    function balanceOf(address owner, uint256 id) external view returns (uint256);
    function getCollectionId(bytes32 parent, bytes32 conditionId, uint256 indexSet) external view returns (bytes32);
    function getPositionId(address collateral, bytes32 collectionId) external pure returns (uint256);
    function safeBatchTransferFrom(address from, address to, uint256[] calldata ids, uint256[] calldata values, bytes calldata data) external;
    function splitPosition(address collateral, bytes32 parent, bytes32 conditionId, uint256[] calldata partition, uint256 amount) external;
    function mergePositions(address collateral, bytes32 parent, bytes32 conditionId, uint256[] calldata partition, uint256 amount) external;
    function redeemPositions(address collateral, bytes32 parent, bytes32 conditionId, uint256[] calldata indexSets) external;
}

/// What a contract answers that may be given ERC-1155 tokens.
abstract contract TokenReceiver {
    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x4e2312e0;
    }
}

library Known {
    IToken internal constant PUSD = IToken(0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB);
    IToken internal constant BRIDGED_USDC = IToken(0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174);
    IToken internal constant WRAPPED_COLLATERAL = IToken(0x3A3BD7bb9528E159577F7C2e685CC81A765002E2);
    IConditionalTokens internal constant CTF = IConditionalTokens(0x4D97DCd97eC945f40cF65F87097ACe5EA0476045);
    address internal constant POSITION_MANAGER = 0x006F54F7f9A22e0000CC2AB60031000000ae9fEF;
    address internal constant ROUTER = 0x12121212006e4CD160D18e3f00711DA5c3372600;
    address internal constant WALLET_FACTORY = 0x00000000000Fb5C9ADea0298D729A0CB3823Cc07;
}
